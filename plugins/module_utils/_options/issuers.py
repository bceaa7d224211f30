# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Who may sign: the one list of issuers, and what each of them accepts."""

from __future__ import annotations

from .auth import auth
from .authority import OPENING
from .option import Option
from .server import CA_BUNDLE, TIMEOUT
from .ssh_issuers import ssh_issuers

TRUST = {
    "roots": Option(
        "The trust anchors that an answer must chain to, each as PEM or as the path of a PEM file on the controller. "
        "Without it, the first chain is pinned in the ledger.",
        type="list",
        elements="str",
    ),
    "accept_new_root": Option("The SHA-256 fingerprint, in hexadecimal, of a root that may replace the pinned one."),
    "timeout": TIMEOUT,
}
LOCAL = {
    "directory": Option(
        "The directory on the controller in which M(keystead.identity.certificate_authority) keeps the authority.",
        type="path",
        required=True,
    ),
    "authority": Option("The name of the authority that signs.", required=True),
    **OPENING,
}
OPENBAO = {
    "url": Option("Where the server is, for example V(https://bao.example.org:8200). TLS only.", required=True),
    "mount": Option("Where its PKI is mounted.", default="pki"),
    "role": Option("The PKI role that signs. Required without C(sign_verbatim)."),
    "namespace": Option("The namespace that the mount, and the way to log in, are in."),
    "issuer_ref": Option("The name or id of one issuer of the mount. The default is that of the role."),
    "sign_verbatim": Option(
        "Sign what is asked without the rules of a role, C(sign-verbatim): profile and lifetime are those of the task. "
        "With C(role), the server takes the rest from that.",
        type="bool",
        default=False,
    ),
    "auth": auth(),
    "ca_bundle": CA_BUNDLE,
}
_RFC2136 = {
    "server": Option("The primary name server of the zone, by address or name.", required=True),
    "port": Option("Its port.", type="int", default=53),
    "zone": Option("The zone. Without it, the server is asked which one the name is in."),
    "key_name": Option("The name of the TSIG key.", required=True, no_log=False),
    "key_secret": Option("The secret of the TSIG key, in base64.", no_log=True),
    "key_secret_file": Option(
        "A file on the controller whose first line is the secret.", type="path", no_log=False
    ),
    "key_algorithm": Option(
        "The algorithm of the TSIG key.", default="hmac-sha256", no_log=False,
        choices=("hmac-sha256", "hmac-sha384", "hmac-sha512"),
    ),
    "ttl": Option("How long, in seconds, resolvers may keep the record.", type="int", default=60),
}  # fmt: skip
_CHALLENGE = {
    "http_01": Option(
        "A file that the names of the identity serve by HTTP on port 80: exactly one of C(webroot) and "
        "C(standalone_port).",
        type="dict",
        options={
            "webroot": Option(
                "The directory on the host that its web server serves for these names. The file is put into "
                "C(.well-known/acme-challenge) there, and taken away afterwards."
            ),
            "standalone_port": Option(
                "A port of the host that nobody listens on: V(80), or the one that port 80 is led to. The host listens "
                "there until the certificate is installed, for five minutes at most.",
                type="int",
            ),
        },
    ),
    "dns_01": Option(
        "A TXT record that the controller writes: exactly one of C(rfc2136) and C(command). Wildcards need it.",
        type="dict",
        options={
            "rfc2136": Option(
                "By dynamic updates (RFC 2136), signed by a TSIG key.", type="dict", options=_RFC2136
            ),
            "command": Option(
                "By a command on the controller and its arguments. It is called with three more: V(present) or "
                "V(cleanup), the name of the record, and its value. No shell is involved.",
                type="list",
                elements="str",
            ),
            "propagation": Option(
                "How long the world needs to see a record after it was written, for example V(2m).", default="0s"
            ),
        },
    ),
}
ACME = {
    "directory_url": Option(
        "The directory of the server, for example V(https://acme-v02.api.letsencrypt.org/directory). TLS only.",
        required=True,
    ),
    "account_key": Option(
        "The file on the controller with the private key of the account, in PEM. It is made when it is missing, and "
        "so is the account, which agrees to the terms of service of the server.",
        type="path",
        required=True,
        no_log=False,
    ),
    "previous_account_key": Option(
        "The file with the key that the account had before. Where the account still has it, it gets that of "
        "C(account_key) in the first run that issues. Keep the file until a warning says that this was done.",
        type="path",
        no_log=False,
    ),
    "contact": Option(
        "Whom the authority may write to, for example V(ops@example.org).", type="list", elements="str"
    ),
    "eab": Option(
        "Binds a new account to one that exists at the authority (external account binding).",
        type="dict",
        options={
            "kid": Option("The identifier that the authority gave.", required=True),
            "hmac_key": Option("The key that the authority gave, in base64url.", required=True, no_log=True),
        },
    ),
    "challenge": Option(
        "How control of the names is shown: exactly one of these.",
        type="dict",
        options=_CHALLENGE,
        one_of=True,
        required=True,
    ),
    "profile": Option("The certificate profile of the server. Without it, the server takes its default."),
    "preferred_chain": Option(
        "The common name of the root that the chain shall lead to, where the server offers several."
    ),
    "ca_bundle": CA_BUNDLE,
}
_PAIR = {
    "certificate": Option("Its path on the controller, PEM, its chain after it.", type="path", required=True),
    "private_key": Option(
        "The path of its key on the controller, PEM, without a passphrase.", type="path", required=True, no_log=False
    ),
}
EST_AUTH = {
    "basic": Option(
        "A name and its password, which is exactly one of C(password) and C(password_file).",
        type="dict",
        options={
            "username": Option("The name.", required=True),
            "password": Option("The password itself.", no_log=True),
            "password_file": Option("A file on the controller whose first line is it.", type="path", no_log=False),
        },
    ),
    "cert": Option("The TLS certificate of a registration authority.", type="dict", options=_PAIR),
    "bootstrap": Option(
        "With V(enrol=host), a TLS certificate that the host has from elsewhere, for example from its manufacturer.",
        type="dict",
        options={
            "certificate": Option("Its absolute path on the host, PEM, its chain after it.", required=True),
            "private_key": Option(
                "The absolute path of its key on the host, PEM, without a passphrase.", required=True, no_log=False
            ),
        },
    ),
}
EST = {
    "url": Option("Where the server is, for example V(https://est.example.org). TLS only.", required=True),
    "label": Option("The label of one of its authorities: what follows C(/.well-known/est/) in its URLs."),
    "fingerprint_sha256": Option(
        "The SHA-256 fingerprint, in hexadecimal, of the root that the server names and that is trusted, in place of "
        "C(roots). Without C(ca_bundle), the TLS certificate of the server has to come from it too."
    ),
    "auth": Option(
        "Who is allowed to enrol: exactly one of these.",
        type="dict",
        options=EST_AUTH,
        one_of=True,
        required=True,
    ),
    "enrol": Option(
        "Who speaks to the server. With V(host), the host does: it renews by showing the certificate that it has, if "
        "that is one for clients, and begins with C(auth). A password goes there only where the connection pipelines; "
        "with C(auth.cert) the controller begins.",
        default="controller",
        choices=("controller", "host"),
    ),
    "ca_bundle": CA_BUNDLE,
}
EST_TRUST = {
    **TRUST,
    "roots": TRUST["roots"]._replace(
        help="The trust anchors that an answer must chain to, each as PEM or as the path of a PEM file on the "
        "controller. Exactly one of this and C(fingerprint_sha256) is needed: who is met first is not believed."
    ),
}
SCEP = {
    "url": Option(
        "Where the program of the server is, for example V(https://scep.example.org/scep). It may be without TLS only "
        "without a challenge.",
        required=True,
    ),
    "fingerprint_sha256": Option(
        "The SHA-256 fingerprint, in hexadecimal, of the certificate for which requests are encrypted: that of the "
        "authority, or of its registration authority. A server without it is told nothing.",
        required=True,
    ),
    "challenge": Option(
        "The password that lets a request pass, best one for one request. It goes to the host, only where the "
        "connection pipelines, and needs the leave of the policy. At most one of this and C(challenge_file).",
        no_log=True,
    ),
    "challenge_file": Option(
        "A file on the controller whose first line is the challenge.", type="path", no_log=False
    ),
    "ca_bundle": CA_BUNDLE._replace(
        help="A PEM file on the controller with the authorities that may have signed the TLS certificate of the "
        "server, and no others. The default is what the system of the host trusts."
    ),
}
SCEP_TRUST = {
    **TRUST,
    "roots": TRUST["roots"]._replace(
        help="The trust anchors that an answer must chain to, each as PEM or as the path of a PEM file on the "
        "controller.",
        required=True,
    ),
}
AWS_PCA = {
    "arn": Option("The ARN of the authority that signs.", required=True),
    "region": Option("Its region. The default is the one in C(arn), and no other is accepted."),
    "template_arn": Option(
        "The ARN of the template that decides on usages. The default is the one that has those of the C(profile)."
    ),
}
ISSUERS = {
    "acme": Option(
        "A server that speaks ACME (RFC 8555), public or private. Its account never reaches a host.",
        type="dict",
        options={**ACME, **TRUST},
    ),
    "local": Option(
        "An authority in a directory on the controller. Its key never reaches a host.",
        type="dict",
        options={**LOCAL, **TRUST},
    ),
    "openbao": Option(
        "The PKI of an OpenBao, or of a HashiCorp Vault. Its credentials never reach a host.",
        type="dict",
        options={**OPENBAO, **TRUST},
    ),
    "est": Option(
        "A server of Enrollment over Secure Transport (RFC 7030), with the controller as registration authority.",
        type="dict",
        options={**EST, **EST_TRUST},
    ),
    "scep": Option(
        "A server of the Simple Certificate Enrolment Protocol (RFC 8894). The host speaks to it, by C(scepclient).",
        type="dict",
        options={**SCEP, **SCEP_TRUST},
    ),
    "aws_pca": Option(
        "An authority of AWS Private CA. Credentials, roles and endpoints are those that boto3 finds on the "
        "controller, and never reach a host.",
        type="dict",
        options={**AWS_PCA, **TRUST},
    ),
    **ssh_issuers(LOCAL, OPENBAO),
}


def issuer(text: str) -> Option:
    """Return an option that names exactly one issuer."""
    return Option(text, type="dict", options=ISSUERS, one_of=True)
