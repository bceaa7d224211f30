# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Where private keys live: the one list of custodies, and what each of them accepts."""

from __future__ import annotations

from .auth import auth
from .option import Option
from .server import CA_BUNDLE, TIMEOUT

TOKEN = {
    "module_path": Option(
        "The absolute path of the PKCS#11 module, where the token is, for example V(/usr/lib/softhsm/libsofthsm2.so).",
        required=True,
    ),
    "token_label": Option(
        "The label of the token. Exactly one of this and C(token_serial) is needed.", no_log=False
    ),
    "token_serial": Option("The serial number of the token.", no_log=False),
    "pin": Option(
        "The user PIN. It goes to a host only where the connection pipelines, and there is best kept in a file.",
        no_log=True,
    ),
    "pin_env": Option(
        "An environment variable that holds the user PIN, where the token is. It is for one that is there already, of "
        "a login or a service. What a task says by C(environment), Ansible prints, and puts in a program's arguments.",
        no_log=False,
    ),
    "pin_file": Option("A file whose first line is the user PIN, where the token is.", no_log=False),
}
"""How a token is found and opened; module hsm_key accepts the same."""

PKCS11 = {
    "at": Option(
        "Where the token is: a TPM or an HSM of the host, or one that the controller reaches.",
        default="host",
        choices=("host", "controller"),
    ),
    **TOKEN,
}
OPENBAO_TRANSIT = {
    "url": Option("Where the server is, for example V(https://bao.example.org:8200). TLS only.", required=True),
    "mount": Option("Where its transit engine is mounted.", default="transit"),
    "name": Option("The name of the key there. Its versions are the keys of this one identity.", required=True),
    "namespace": Option("The namespace that the mount, and the way to log in, are in."),
    "auth": auth(),
    "ca_bundle": CA_BUNDLE,
    "timeout": TIMEOUT,
}
AWS_KMS = {
    "alias": Option(
        "The alias that leads to the current key, for example V(alias/web). Its keys are those of this one identity.",
        required=True,
    ),
    "region": Option("The region. The default is that of the AWS configuration of the controller."),
    "pending_window": Option(
        "How long a key that was replaced can be saved from its deletion, V(7d) to V(30d).", default="30d"
    ),
    "timeout": TIMEOUT,
}
CUSTODY = {
    "file": Option("A file in the store, made on the host, which never leaves it.", type="dict", options={}),
    "pkcs11": Option(
        "A PKCS#11 token, such as an HSM or a TPM. The key is made in it and never leaves it.",
        type="dict",
        options=PKCS11,
    ),
    "openbao_transit": Option(
        "The transit engine of an OpenBao, or of a HashiCorp Vault. The key is made there and never leaves it.",
        type="dict",
        options=OPENBAO_TRANSIT,
    ),
    "aws_kms": Option(
        "AWS Key Management Service. Credentials, roles and endpoints are those that boto3 finds on the controller.",
        type="dict",
        options=AWS_KMS,
    ),
}


AUTHORITY_CUSTODY = {
    **CUSTODY,
    "file": Option("A file in the directory of the authority.", type="dict", options={}),
    "pkcs11": CUSTODY["pkcs11"]._replace(
        options={
            "at": Option(
                "Where the token is. An authority signs on the controller, so that is where its token is.",
                default="controller",
                choices=("controller",),
            ),
            **TOKEN,
        }
    ),
}
"""The same for the key of an authority, which never is on a host."""


def authority_custody(text: str) -> Option:
    """Return the option that names exactly one custody of an authority's key."""
    return Option(text, type="dict", options=AUTHORITY_CUSTODY, one_of=True)


KEY_CUSTODY = {
    "pkcs11": CUSTODY["pkcs11"]._replace(
        help="A PKCS#11 token, such as an HSM or a TPM. Generations after the first have the label with a number "
        "behind it, as V(release-signing.2).",
        options={
            **PKCS11,
            "label": Option(
                "The label that the key was declared with, as M(keystead.identity.hsm_key) has it.", required=True
            ),
        },
    ),
    "openbao_transit": CUSTODY["openbao_transit"]._replace(
        help="The transit engine of an OpenBao, or of a HashiCorp Vault. Generations are versions of the key.",
        options={**OPENBAO_TRANSIT, "name": Option("The name of the key there.", required=True)},
    ),
    "aws_kms": CUSTODY["aws_kms"]._replace(
        options={
            **AWS_KMS,
            "alias": Option(
                "The alias that leads to the active key, for example V(alias/release-signing). The next one waits "
                "behind the same with C(-next).",
                required=True,
            ),
        }
    ),
}
"""The same for a key that belongs to no identity: it has a name of its own in its backend."""


def key_custody() -> Option:
    """Return the option that names where a key without an identity is."""
    return Option("Where the key is: exactly one of these.", type="dict", options=KEY_CUSTODY, one_of=True)


def custody() -> Option:
    """Return the option that names exactly one custody."""
    return Option("Where the private key lives: exactly one of these.", type="dict", options=CUSTODY, one_of=True)
