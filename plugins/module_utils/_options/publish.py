# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Where else a generation goes: the one list of publishers, and what each of them accepts."""

from __future__ import annotations

from .._core.publication import ENCRYPTIONS, FILE_PUBLISHERS, Publication
from .auth import auth
from .option import Option
from .server import CA_BUNDLE, TIMEOUT

_PATH = Option(
    "The absolute path of the file on the host. Its directory must be there, and nobody else may write in it.",
    required=True,
)
_FILE = {
    "owner": Option("The user on the host who owns the file. The default is that of the identity."),
    "group": Option("The group on the host that owns the file. The default is that of the identity."),
    "mode": Option(
        "The mode of the file, as a quoted octal number. The default is that of the identity where the file holds the "
        "private key, else V(0644).",
        type="raw",
    ),
}
PKCS12 = {
    "path": _PATH,
    "password": Option(
        "Opens the file: exactly one of this and C(password_file). It goes to the host only where the connection "
        "pipelines. One of digits alone is to be quoted.",
        type="raw",
        no_log=True,
    ),
    "password_file": Option(
        "A file on the host whose first line opens the file, and that nobody else may read.", no_log=False
    ),
    "encryption": Option(
        "V(modern) is PBES2 with AES-256 and a MAC with SHA-256, and needs cryptography 38 or newer on the host. "
        "V(legacy) is 3DES with SHA-1, for Java before 8u301 and Windows before Server 2019.",
        default=Publication("", "").encryption,
        choices=ENCRYPTIONS,
    ),
    **_FILE,
}
PEM_BUNDLE = {
    "path": _PATH,
    "parts": Option(
        f"The parts in their order: {', '.join(FILE_PUBLISHERS['pem_bundle'])}. The same as C(parts) beside "
        "C(pem_bundle).",
        type="list",
        elements="str",
    ),
    **_FILE,
}
OPENBAO_KV = {
    "url": Option("Where the server is, for example V(https://bao.example.org:8200). TLS only.", required=True),
    "mount": Option("Where its KV version 2 is mounted.", default="secret"),
    "path": Option("The entry in the mount, for example V(web/tls).", required=True),
    "namespace": Option("The namespace that the mount, and the way to log in, are in."),
    "auth": auth(),
    "ca_bundle": CA_BUNDLE,
    "timeout": TIMEOUT,
}
AWS_SECRETS_MANAGER = {
    "name": Option("The name of the secret, for example V(web/tls).", required=True),
    "region": Option("The region. The default is that of the AWS configuration of the controller."),
    "timeout": TIMEOUT,
}
AWS_ACM = {
    "arn": Option(
        "The ARN of a certificate that was imported before and is to be this one. The default is one that is imported "
        "anew, and found again by its tag."
    ),
    "region": Option("The region. The default is that of the AWS configuration of the controller."),
    "tags": Option("Tags that it has besides, names and values.", type="dict"),
    "timeout": TIMEOUT,
}
PUBLISHERS = {
    "pkcs12": Option("A PKCS#12 file on the host, with the name of the identity as its alias.", "dict", options=PKCS12),
    "pem_bundle": Option(
        "One PEM file on the host, for who reads one file or cannot follow links, such as in a chroot.",
        "dict",
        options=PEM_BUNDLE,
    ),
    "openbao_kv": Option(
        "An entry of a KV version 2 of an OpenBao, or of a HashiCorp Vault, written by the controller with "
        "check-and-set. Each part is a field of it.",
        "dict",
        options=OPENBAO_KV,
    ),
    "aws_secrets_manager": Option(
        "A secret of AWS Secrets Manager, written by the controller as JSON of the parts. Credentials, roles and "
        "endpoints are those that boto3 finds on the controller.",
        "dict",
        options=AWS_SECRETS_MANAGER,
    ),
    "aws_acm": Option(
        "A certificate of AWS Certificate Manager, imported by the controller under the same ARN each time. It takes "
        "the private key, so it needs O(identities[].key.origin=controller).",
        "dict",
        options=AWS_ACM,
    ),
}
PUBLISH = {
    **PUBLISHERS,
    "parts": Option(
        "The parts that go there. The default is V(private_key), V(certificate) and V(chain) for files on the host and "
        "for C(aws_acm), and V(certificate) and V(chain) elsewhere. Elsewhere than on the host, V(private_key) needs "
        "O(identities[].key.origin=controller) and the leave of the policy.",
        type="list",
        elements="str",
    ),
}
