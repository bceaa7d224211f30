# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)


"""What a task may say to certificate_authority."""

from __future__ import annotations

from .._core.key import KEY_TYPES, Key
from .custody import authority_custody
from .option import Option

PASSPHRASE = {
    "passphrase": Option("Opens the private key, which is encrypted with it.", no_log=True),
    "passphrase_file": Option("A file on the controller whose first line is it.", type="path", no_log=False),
}
OPENING = {
    **PASSPHRASE,
    "custody": authority_custody(
        "How its private key is reached, where that is not a file: the same custody that made it, and what opens that."
    ),
}
"""What opens the key of an authority that is there already."""
SUBJECT = {
    "common_name": Option("The name of the authority in its certificate. The default is O(name)."),
    "organizational_unit": Option("The unit that it belongs to."),
    "organization": Option("The organization that it belongs to."),
    "country": Option("The two letters of a country."),
}
NAMES = {
    "dns": Option("Domains, each with everything below it, for example V(example.org).", type="list", elements="str"),
    "ip": Option("Networks, for example V(192.0.2.0/24).", type="list", elements="str"),
    "email": Option(
        "Mailboxes, hosts V(example.org), or everything below a domain V(.example.org).", type="list", elements="str"
    ),
    "uri": Option(
        "Hosts of URIs, V(example.org), or everything below a domain V(.example.org).", type="list", elements="str"
    ),
}
OPTIONS = {
    "name": Option("The name of the authority, and of its directory.", required=True),
    "directory": Option("The directory on the controller that holds authorities.", type="path", required=True),
    "subject": Option("Whom the certificate of the authority names.", type="dict", options=SUBJECT),
    "parent": Option(
        "The authority that signs this one. Without it, this one is a root.",
        type="dict",
        options={
            "name": Option("The name of the parent.", required=True),
            "directory": Option("Where the parent is. The default is O(directory).", type="path"),
            **OPENING,
        },
    ),
    "key": Option(
        "The private key.",
        type="dict",
        options={
            "type": Option("The algorithm.", default=Key().type, choices=KEY_TYPES),
            "custody": authority_custody(
                "Where the private key lives: exactly one of these. It is made there and never leaves it. "
                "The default is a file, which O(passphrase) protects."
            ),
        },
    ),
    "lifetime": Option(
        "How long the certificate is valid, for example V(3650d). It never outlives the parent. "
        "The default is V(3650d) for a root and V(1825d) below a parent."
    ),
    "path_length": Option(
        "How many authorities may follow each other below this one. "
        "The default is V(0) below a parent and no limit for a root.",
        type="int",
    ),
    "name_constraints": Option(
        "The names that may stand below this authority.",
        type="dict",
        options={
            "permitted": Option("Only these, for each form of name that is listed.", type="dict", options=NAMES),
            "excluded": Option("None of these, even where permitted.", type="dict", options=NAMES),
        },
    ),
    "crl_url": Option(
        "Where clients find the revocation list of the authority, for example V(http://pki.example.org/issuing.crl). "
        "Every certificate that it signs from then on says so (RFC 5280, 4.2.1.13), the authorities below it included. "
        "Plain HTTP is what RFC 5280 means: the list is signed, and TLS would need a list to be believed. "
        "Left out, it stays as it is; an empty string takes it away."
    ),
    "certificate_url": Option(
        "Where clients find the certificate of the authority in DER, for example "
        "V(http://pki.example.org/issuing.cer), who were sent none. Every certificate that it signs from then on says "
        "so (C(caIssuers) of RFC 5280, 4.2.2.1). Left out, it stays as it is; an empty string takes it away."
    ),
    "crl_lifetime": Option(
        "How long a revocation list is valid, for example V(7d), which is what a new authority begins with. "
        "Left out, it stays as it is."
    ),
    "crl_renew_before": Option(
        "How long before its end a revocation list is made anew: a share of its life, or a duration. "
        "A new authority begins with V(50%). Left out, it stays as it is."
    ),
    "crl_seen": Option(
        "Revocation lists of the authority as they are seen elsewhere, on web servers for example: DER in base64, as "
        "M(ansible.builtin.slurp) returns it. What it has signed counts: a revocation that O(directory) knows nothing "
        "of, since it was restored from a backup, is taken back again, and the next number is above all of theirs. "
        "Anything else is left out of account.",
        type="list",
        elements="str",
    ),
    **PASSPHRASE,
    "state": Option(
        "V(absent) destroys the directory of the authority, and its key in its custody. It is refused while "
        "certificates that it has signed are neither expired nor revoked. With O(parent), the authority is revoked "
        "there first.",
        default="present",
        choices=("present", "absent"),
    ),
}
