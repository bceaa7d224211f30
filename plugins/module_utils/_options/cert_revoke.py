# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to cert_revoke."""

from __future__ import annotations

from .issuers import issuer
from .machine_identity import OPTIONS as IDENTITIES
from .option import Option
from .plan import PLAN

REASONS = (
    "unspecified", "key_compromise", "ca_compromise", "affiliation_changed", "superseded", "cessation_of_operation",
    "privilege_withdrawn", "aa_compromise",
)  # fmt: skip
"""RFC 5280, 5.3.1, but for the two that are about a hold, which is no end."""

CERTIFICATE = {
    "serial_number": Option(
        "Its serial number in hexadecimal, with or without colons, in quotes: V('4a:0b:9c').", type="raw"
    ),
    "issuer": Option(
        "The id of who signed it, as RV(certificates[].issuer_id) and the ledger have it. It narrows the others."
    ),
    "fingerprint_sha256": Option("Its SHA-256 fingerprint in hexadecimal."),
    "path": Option(
        "A file on the controller, in PEM or with a line of SSH, whose first certificate is meant, whether the ledger "
        "knows it or not.",
        type="path",
    ),
    "pem": Option("The certificate itself, as PEM, the first one where there are several, or as a line of SSH."),
    "identity": Option("The name of the identity that has, or had, it."),
    "host": Option("The host, by its name in the inventory, that has, or had, it."),
    "spki_sha256": Option("The SHA-256 of its public key (SPKI, DER) in hexadecimal: every certificate of one key."),
    "issued_before": Option(
        "Only what was issued before this moment, in ISO 8601 with a time zone, as V('2026-03-01T10:40:00Z')."
    ),
    "orphaned": Option(
        "Only what was signed and never put to use, has not ended and is not revoked: its answer was lost or refused, "
        "or, with O(replaced_first=false), the run that asked for it never came to install it. Where its serial number "
        "is not known, issuers that list what they signed are searched for its key.",
        type="bool",
    ),
    "superseded": Option(
        "Only what was in use, has not ended and is not revoked: another one took its place, or its identity is "
        "absent.",
        type="bool",
    ),
}

OPTIONS = {
    "certificates": Option(
        "Which certificates. What stands in one entry must all hold; what any entry selects is meant.",
        type="list",
        elements="dict",
        options=CERTIFICATE,
        required=True,
    ),
    "reason": Option(
        "Why (RFC 5280, 5.3.1). The first reason stands; only where a list of SSH names keys as well, "
        "V(key_compromise) counts later too.",
        default="unspecified",
        choices=REASONS,
    ),
    "replaced_first": Option(
        "Revoke nothing at all while one of the certificates is still delivered somewhere without a successor, or a "
        "handshake (of SSH, a key exchange) with a service that proved its identity still shows it.",
        type="bool",
        default=True,
    ),
    "emergency": Option(
        "Revoke although certificates are still in use. The policy must permit it, and O(justification) says why; both "
        "are in the events of the ledger.",
        type="bool",
        default=False,
    ),
    "justification": Option("Why it cannot wait. Required with O(emergency), and recorded."),
    "expect": Option(
        "How many certificates the entries select. Where they select another number, nothing is revoked.", type="int"
    ),
    "private_key_file": Option(
        "The private key of the certificates, in PEM without a passphrase, in a file on the controller. Who has it may "
        "revoke without any other right to, where the issuer takes it: OpenBao and Vault do. It is sent to the issuer, "
        "so it must be one that is known to others already.",
        type="path",
        no_log=False,
    ),
    "issuer": issuer("Who signed. It is never a group default."),
    "issuers": IDENTITIES["issuers"]._replace(
        help="Further issuers. Who signed a certificate is found among all of them by the id that the ledger recorded."
    ),
    **PLAN,
}
