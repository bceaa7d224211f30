# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to machine_identity, machine_identity_info and preflight."""

from __future__ import annotations

from .._core.key import KEY_ORIGINS, KEY_TYPES, Key
from .._core.model import KINDS, PARTS_OF, PROFILES, Adopt, Files, Identity, Proof
from .custody import custody
from .issuers import issuer
from .option import Option
from .plan import PLAN
from .publish import PUBLISH
from .server import CA_BUNDLE

DEFAULT_STORE = "/var/lib/keystead/identities"
_IDENTITY = Identity(name="")
DEFAULT_LIFETIME = f"{_IDENTITY.lifetime // 86400}d"
DURATION = "a number and V(s), V(m), V(h) or V(d)"

KEY = {
    "type": Option(
        "The algorithm. V(ml-dsa-44), V(ml-dsa-65) and V(ml-dsa-87) need a cryptography on the host that has them.",
        default=Key().type,
        choices=KEY_TYPES,
    ),
    "reuse": Option("Keep the key when the credential is renewed. Only V(false) is built.", type="bool", default=False),
    "origin": Option(
        "Where a key for a file is made. V(controller) makes it in the memory of the controller, sends it down once, "
        "where the connection pipelines, and keeps it nowhere. It needs the leave of the policy, and is for "
        "O(identities[].publish) with C(private_key).",
        default=Key().origin,
        choices=KEY_ORIGINS,
    ),
    "custody": custody(),
}
ACTIVATE = {
    "unit": Option("A systemd unit that is reloaded, or restarted where it cannot reload."),
    "command": Option("A command and its arguments, run without a shell.", type="list", elements="str"),
    "only_if": Option(
        "A command and its arguments. Where it fails, the consumer counts as not running and is left alone.",
        type="list",
        elements="str",
    ),
}
PROVE = {
    "host": Option("The host to connect to, as seen from the managed host.", default=Proof().host),
    "port": Option("The port of a TLS handshake.", type="int"),
    "server_name": Option(
        "The name to ask for (SNI). The default is a name of this identity, or O(identities[].prove.host) with "
        "O(identities[].prove.client_auth=true)."
    ),
    "starttls": Option("The protocol that precedes the handshake.", choices=("smtp", "imap", "ldap", "postgres")),
    "client_auth": Option(
        "Show this identity as the client. Needs O(identities[].profile=tls_client) or "
        "O(identities[].profile=tls_peer).",
        type="bool",
        default=Proof().client_auth,
    ),
    "command": Option(
        "A command and its arguments that succeeds when the consumer uses the identity.", type="list", elements="str"
    ),
    "timeout": Option(f"How long the proof may take: {DURATION}.", default=f"{Proof().timeout:g}s"),
    "when": Option(
        "Whether to prove after a change, or also when nothing is to do.",
        default=Proof().when,
        choices=("changed", "always"),
    ),
}
ADOPT = {
    "certificate": Option(
        "The absolute path of its certificate in PEM. Further certificates in the file are its chain.", required=True
    ),
    "private_key": Option(
        "The absolute path of its private key in PEM, without a passphrase. It may be the same file. "
        "Only O(identities[].state=observed) does without.",
        no_log=False,
    ),
    "chain": Option("The absolute path of its chain in PEM, where that is a file of its own."),
    "replace": Option(
        "Whether O(issuer) replaces it when it is due, or at once. What lacks a declared name or usage of the profile, "
        "or is revoked or damaged, is always replaced at once.",
        default=Adopt("").replace,
        choices=("when_due", "now"),
    ),
}
STATE = {
    "name": Option(
        "The name of the identity, unique on the host and in the store: lower-case letters, digits, C(.), C(_), C(-).",
        required=True,
    ),
    "kind": Option(
        "The kind of credential. V(ssh_host) is an OpenSSH host certificate for O(identities[].principals): its parts "
        "are C(private_key), C(public_key) and C(certificate).",
        default=_IDENTITY.kind,
        choices=KINDS,
    ),
    "state": Option(
        "V(present) keeps a valid credential in place. V(absent) withdraws it and destroys the key. "
        "V(released) puts plain files in the place of the links and stops managing them. "
        "V(observed) records in the ledger what O(identities[].adopt) names, and touches "
        "nothing.",
        default=_IDENTITY.state,
        choices=("present", "absent", "released", "observed"),
    ),
    "adopt": Option(
        "A pair that is already on the host and becomes the first generation: neither issued anew nor is its service "
        "told. Where neither file is there, a credential is issued as usual. Once there is a generation, the paths are "
        "not looked at again.",
        type="dict",
        options=ADOPT,
    ),
    "issuer": issuer("Who signs this identity. It replaces O(issuer), and is never merged with it."),
    "revoke_on_absent": Option(
        "With O(identities[].state=absent), also revoke the credential.", type="bool", default=False
    ),
    "keep_generations": Option(
        "How many earlier generations, private keys included, are kept after the new one is proved.",
        type="int",
        default=_IDENTITY.keep_generations,
    ),
    "generation": Option(
        "V(previous) goes back to the generation before. Needs O(identities[].keep_generations) of at least V(1).",
        choices=("previous",),
    ),
}
NAMES = {
    "common_name": Option("The common name of the subject, at most 64 characters."),
    "dns_names": Option(
        "DNS names. Internationalised names may be written in Unicode; V(*) may stand as the whole first label.",
        type="list",
        elements="str",
    ),
    "ip_addresses": Option("IPv4 and IPv6 addresses.", type="list", elements="str"),
    "uris": Option("Absolute URIs in ASCII, for example V(spiffe://example.org/web).", type="list", elements="str"),
    "email_addresses": Option("Mailboxes in ASCII.", type="list", elements="str"),
    "principals": Option(
        "The names and addresses by which clients reach the host, of a credential of kind V(ssh_host).",
        type="list",
        elements="str",
    ),
    "profile": Option("What the credential is for.", default=_IDENTITY.profile, choices=PROFILES),
    "key": Option("The private key.", type="dict", options=KEY),
    "lifetime": Option(f"How long a credential is valid: {DURATION}.", default=DEFAULT_LIFETIME),
    "renew_before": Option(
        f"How long before its end it is renewed: {DURATION}, or per cent of its actual life.",
        default=_IDENTITY.renew_before,
    ),
}
TRUSTS = {
    "issuer": Option(
        "Whose certificate this issuer signed, by the id that the ledger has of it, such as C(issuer_id) of the lookup "
        "P(keystead.identity.machine_identity#lookup)."
    ),
    "service": Option("Who is of this O(identities[].service), or of none that the ledger knows."),
}
CONSUMERS = {
    "contact": Option("Who answers for the identity, for example an e-mail address. Kept in the ledger."),
    "service": Option("The service that uses the identity. Kept in the ledger."),
    "trusts": Option(
        "Who its peers are: each entry names exactly one of C(issuer) and C(service). Kept in the ledger, where "
        "M(keystead.identity.trust_bundle) finds whose certificates the anchors of the host have to verify. Without "
        "it, everybody in the ledger counts as a peer; an empty list says that there are none.",
        type="list",
        elements="dict",
        options=TRUSTS,
        one_of=True,
    ),
    "labels": Option("Names and values to find the identity by. Kept in the ledger.", type="dict"),
    "owner": Option("The user on the host who owns the parts. The default is the user who runs the task."),
    "group": Option("The group on the host that owns the parts."),
    "mode": Option(
        "The mode of the parts that hold the private key, as a quoted octal number.", type="raw", default=Files().mode
    ),
    "links": Option(
        f"Absolute paths on the host, each with the part behind it: {', '.join(PARTS_OF['x509'])}. V(private_key) and "
        "V(combined) belong to a key in a file, V(key_uri) to any other, V(nginx_tls) to a key in a file or a host's "
        "token. Those of V(ssh_host) are named at O(identities[].kind).",
        type="dict",
    ),
    "publish": Option(
        "Where else each generation goes: each entry names exactly one publisher, and may name C(parts) beside it.",
        type="list",
        elements="dict",
        options=PUBLISH,
    ),
    "replace_files": Option(
        "Let a link or a copy replace a regular file or a foreign link that stands in its place.",
        type="bool",
        default=Files().replace_files,
    ),
    "activate": Option(
        "How the consumer is told to load a new generation: exactly one of C(unit) and C(command).",
        type="dict",
        options=ACTIVATE,
    ),
    "prove": Option(
        "How it is shown that the consumer uses the current generation: exactly one of C(port) and C(command).",
        type="dict",
        options=PROVE,
    ),
}
IDENTITY = {**STATE, **NAMES, **CONSUMERS}
STORE = {
    "store": Option(
        "The absolute path of the directory on the host that holds the identities. "
        "Set it where the task does not run as root.",
        default=DEFAULT_STORE,
    ),
}
CRL_ISSUERS = Option(
    "For O(check_status=live), certificates of those who sign revocation lists with another key than the one that "
    "signed the certificates: the issuer after a change of its key, or whom the certificates name for their lists. "
    "Each is PEM, or the path of a PEM file on the controller. None is trusted for being named here: it has to lead to "
    "the issuer, or to the root to which that leads.",
    type="list",
    elements="str",
)
OPTIONS = {
    "issuer": issuer("Who signs. It is never a group default."),
    "issuers": Option(
        "Further issuers, for identities that another one than O(issuer) has signed.",
        type="list",
        elements="dict",
        options=issuer("").options,
        one_of=True,
    ),
    "identities": Option(
        "The identities that the host shall have.", type="list", elements="dict", options=IDENTITY, required=True
    ),
    **STORE,
    "scope": Option("A name for what this task declares, so that O(purge) knows what it declared earlier."),
    "purge": Option(
        "Remove the identities that the same O(scope) declared earlier and O(identities) does not name.",
        type="bool",
        default=False,
    ),
    "wait": Option(f"How long to wait for an issuer that answers later: {DURATION}.", default="0s"),
    "retry_refused": Option(
        "Ask an issuer again although what it signed for the same declaration was refused a short time ago. It is for "
        "a run after its role, template or profile was put right. Without it, the time until it is asked again doubles "
        "from an hour to a day.",
        type="bool",
        default=False,
    ),
    "check_status": Option(
        "Where it is looked up whether a credential is revoked. With V(live), who signed it is asked in every run, "
        "where that can say, else what is published by OCSP (RFC 6960) or in a revocation list (RFC 5280) where the "
        "certificate says so. What was revoked elsewhere is recorded and replaced; what nobody tells is a warning.",
        default="ledger",
        choices=("ledger", "live"),
    ),
    "crl_issuers": CRL_ISSUERS,
    **PLAN,
}
LIVE_ISSUERS = OPTIONS["issuers"]._replace(
    help="Who may have signed. Each is asked with O(check_status=live) about what it signed, where it can say; a "
    "certificate of another one is judged by what is published alone."
)
LIVE_BUNDLE = CA_BUNDLE._replace(
    help="A PEM file on the controller with the authorities that may have signed the TLS certificates of places that "
    "certificates name by HTTPS, and no others. The default is what requests, the library, trusts."
)
INFO = {
    **STORE,
    "names": Option("Only these identities. The default is all that the store holds.", type="list", elements="str"),
    "paths": Option("Also read the PEM certificates at these absolute paths on the host.", type="list", elements="str"),
    "scan": Option(
        "Also look for private keys and certificates, in PEM and PKCS#12, in everything below these absolute paths on "
        "the host, and propose what could be adopted. Nothing is touched, and no key leaves the host.",
        type="list",
        elements="str",
    ),
    "check_status": OPTIONS["check_status"]._replace(
        help="Where it is looked up whether a certificate is revoked. With V(live), the controller asks who signed it, "
        "where O(issuers) has it and it can say, else what is published by OCSP (RFC 6960) or in a revocation list "
        "(RFC 5280) where the certificate says so. Nothing is recorded.",
    ),
    "issuers": LIVE_ISSUERS,
    "ca_bundle": LIVE_BUNDLE,
    "crl_issuers": CRL_ISSUERS,
}
PREFLIGHT = {"issuer": issuer("Who is to sign."), "issuers": OPTIONS["issuers"], **STORE}
