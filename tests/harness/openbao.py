# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a test has of its own on an OpenBao that all tests of a session share: a PKI, ways to log in, few rights."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import time
import typing as t
from dataclasses import dataclass, field

import trustme
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good
from ansible_collections.keystead.identity.tests.harness.issuers import Upstream, Wrong
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Answer, Server

Options = dict[str, t.Any]
_numbers = itertools.count(1)
AUDIENCE = "openbao"
FOR_SERVERS: Options = {"server_flag": True, "client_flag": False}
FOR_CLIENTS: Options = {"server_flag": False, "client_flag": True}
FOR_PEERS: Options = {"server_flag": True, "client_flag": True}
WEB: Options = {
    "allowed_domains": "example.org",
    "allow_subdomains": True,
    "allow_ip_sans": True,
    "allowed_uri_sans": "spiffe://example.org/*",
    "require_cn": False,
    "key_type": "any",
    "ttl": "720h",
    "max_ttl": "2160h",
    **FOR_SERVERS,
}
ROLES: dict[str, Options] = {
    "web": WEB,
    "client": {**WEB, **FOR_CLIENTS},
    "peer": {**WEB, **FOR_PEERS},
    "short": {**WEB, "ttl": "30m", "max_ttl": "1h"},  # whatever is asked, one hour is what there is
    "no_store": {**WEB, "no_store": True},
    "elsewhere": {**WEB, "allowed_domains": "example.com"},  # denies what the tests ask for
    "hidden": WEB,  # a role that no policy of a converger names
}


@dataclass
class Pki:
    """A root and an authority below it, each a mount of its own, in a namespace or in none.

    `roles` are those that its policy lets a converger use.
    """

    server: Server
    mount: str
    namespace: str = ""
    roles: tuple[str, ...] = tuple(name for name in ROLES if name != "hidden")
    root_pem: str = ""
    policy: str = field(init=False)

    def __post_init__(self) -> None:
        self.policy = f"converge-{self.mount}"

    def call(self, method: str, path: str, body: t.Mapping[str, t.Any] | None = None, *, token: str = "") -> Answer:
        """Call the server in the namespace of this PKI, as root where no token is named."""
        return self.server.call(method, path, body, token=token, namespace=self.namespace)

    def options(self, auth: Options | None = None, **said: t.Any) -> Options:
        """Return the options of the issuer: role `web` and a token of a converger, unless something else is said."""
        found = {
            "url": self.server.url,
            "mount": self.mount,
            "role": "web",
            "auth": auth or {"token": {"token": token(self)}},
            "ca_bundle": str(self.server.ca_bundle),
            "timeout": "30s",
            **({"namespace": self.namespace} if self.namespace else {}),
        }
        return {**found, **said}


def namespace(server: Server, name: str = "") -> str:
    """Make a namespace, and return its name."""
    name = name or f"team{next(_numbers)}"
    server.call("POST", f"sys/namespaces/{name}", {})
    return name


def pki(server: Server, mount: str = "", *, namespace: str = "", key: Options | None = None) -> Pki:
    """Mount a root, an authority below it with all roles, and write the policy of a converger.

    `key` is what `generate` takes, by default an ECDSA key on P-256. The policy grants what a converger needs and no
    more: sign by its roles, list and read what was issued, revoke.
    """
    made = Pki(server, mount or f"pki{next(_numbers)}", namespace)
    kind = key or {"key_type": "ec", "key_bits": 256}
    root = f"{made.mount}_root"
    for name in (root, made.mount):
        made.call("POST", f"sys/mounts/{name}", {"type": "pki", "config": {"max_lease_ttl": "87600h"}})
    said = {"common_name": f"{made.mount} root", "ttl": "87600h", **kind}
    signer = f"{root}/root"
    made.root_pem = made.call("POST", f"{signer}/generate/internal", said)["data"]["certificate"]
    said = {"common_name": f"{made.mount} issuing", **kind}
    csr = made.call("POST", f"{made.mount}/intermediate/generate/internal", said)["data"]["csr"]
    said = {"csr": csr, "ttl": "43800h", "common_name": f"{made.mount} issuing"}
    signed = made.call("POST", f"{signer}/sign-intermediate", said)["data"]
    bundle = "\n".join([signed["certificate"], made.root_pem])
    made.call("POST", f"{made.mount}/intermediate/set-signed", {"certificate": bundle})
    for name, role in ROLES.items():
        made.call("POST", f"{made.mount}/roles/{name}", role)
    made.call("PUT", f"sys/policies/acl/{made.policy}", {"policy": least_rights(made.mount, made.roles)})
    return made


def least_rights(mount: str, roles: t.Sequence[str]) -> str:
    """Return the policy of a converger: what issuing, finding lost answers and revoking need."""
    rights = {f"{mount}/{verb}/{role}": "update" for role in roles for verb in ("sign", "sign-verbatim")}
    rights.update({f"{mount}/issuer/+/{verb}/{role}": "update" for role in roles for verb in ("sign", "sign-verbatim")})
    rights.update(
        {f"{mount}/revoke": "update", f"{mount}/certs": "list", f"{mount}/certs/+": "list", f"{mount}/cert/+": "read"}
    )
    return "\n".join(f'path "{path}" {{ capabilities = ["{right}"] }}' for path, right in rights.items())


def token(pki: Pki, *policies: str, **said: t.Any) -> str:
    """Return a token with the rights of a converger, or with those of other policies."""
    body = {"policies": list(policies or (pki.policy,)), "ttl": "1h", **said}
    return str(pki.call("POST", "auth/token/create", body)["auth"]["client_token"])


def _enable(pki: Pki, kind: str) -> str:
    mount = f"{kind}{next(_numbers)}"
    pki.call("POST", f"sys/auth/{mount}", {"type": kind})
    return mount


def approle(pki: Pki, **said: t.Any) -> Options:
    """Make an AppRole with a mount of its own; return `auth` with role_id, secret_id and mount."""
    mount = _enable(pki, "approle")
    pki.call("POST", f"auth/{mount}/role/converger", {"token_policies": [pki.policy], "token_ttl": "10m", **said})
    role_id = pki.call("GET", f"auth/{mount}/role/converger/role-id")["data"]["role_id"]
    return {"approle": {"role_id": role_id, "secret_id": secret_id(pki, mount), "mount": mount}}


def secret_id(pki: Pki, mount: str) -> str:
    """Return a fresh SecretID of the AppRole in a mount."""
    return str(pki.call("POST", f"auth/{mount}/role/converger/secret-id", {})["data"]["secret_id"])


def wrapped(auth: Options, pki: Pki, ttl: str = "5m") -> Options:
    """Return `auth` of an AppRole with a wrapped SecretID in the place of the plain one: it can be unwrapped once."""
    said = auth["approle"]
    path = f"auth/{said['mount']}/role/converger/secret-id"
    headers = {"X-Vault-Wrap-TTL": ttl}
    made = pki.server.call("POST", path, {}, namespace=pki.namespace, headers=headers)
    plain = {name: value for name, value in said.items() if name != "secret_id"}
    return {"approle": {**plain, "wrapped_secret_id": made["wrap_info"]["token"]}}


def certificate(pki: Pki, directory: Path, authority: trustme.CA | None = None) -> Options:
    """Enable TLS certificates as a way to log in; return `auth` with the paths of a pair below `directory`.

    `authority` signs the pair in place of the server's own, which is the one that the role trusts.
    """
    mount = _enable(pki, "cert")
    role = {
        "certificate": pki.server.authority.cert_pem.bytes().decode(),
        "allowed_dns_sans": ["controller.example.org"],
        "token_policies": [pki.policy],
    }
    pki.call("POST", f"auth/{mount}/certs/controllers", role)
    pair = (authority or pki.server.authority).issue_cert(
        "controller.example.org", common_name="controller.example.org"
    )  # who logs in is known by the common name
    pair.cert_chain_pems[0].write_to_path(str(directory / "controller.pem"))
    pair.private_key_pem.write_to_path(str(directory / "controller.key"))
    paths = {"certificate": str(directory / "controller.pem"), "private_key": str(directory / "controller.key")}
    return {"cert": {**paths, "name": "controllers", "mount": mount}}


def jwt(pki: Pki, subject: str = "controller", lifetime: int = 300) -> Options:
    """Enable JSON Web Tokens as a way to log in; return `auth` with one (RFC 7519) that is signed by ES256."""
    mount, key = _enable(pki, "jwt"), ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    pki.call("POST", f"auth/{mount}/config", {"jwt_validation_pubkeys": [public], "jwt_supported_algs": ["ES256"]})
    role = {
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": [AUDIENCE],
        "bound_subject": "controller",
        "token_policies": [pki.policy],
    }
    pki.call("POST", f"auth/{mount}/role/controllers", role)
    return {"jwt": {"role": "controllers", "jwt": _signed(key, subject, lifetime), "mount": mount}}


def _signed(key: ec.EllipticCurvePrivateKey, subject: str, lifetime: int) -> str:
    moment = int(time.time())
    claims = {"sub": subject, "aud": AUDIENCE, "iat": moment, "nbf": moment, "exp": moment + lifetime}
    parts = [_segment(json.dumps(one).encode()) for one in ({"alg": "ES256", "typ": "JWT"}, claims)]
    r, s = decode_dss_signature(key.sign(".".join(parts).encode(), ec.ECDSA(hashes.SHA256())))
    return ".".join([*parts, _segment(r.to_bytes(32, "big") + s.to_bytes(32, "big"))])


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Backend:
    """The backend of the contract suite; see tests/harness/issuers.py."""

    needs: t.ClassVar[tuple[str, ...]] = ("openbao",)
    profile: t.ClassVar[str] = "tls_server"
    server: t.ClassVar[str | None] = "openbao"
    logins_of_a_batch: t.ClassVar[int] = 1
    of_forgotten: t.ClassVar[type] = Good  # its OCSP responder knows what was revoked, and who signed
    signs: t.ClassVar[str] = "/sign"
    revokes: t.ClassVar[str] = "/revoke"
    _ROLES: t.ClassVar[dict[str, str]] = {"tls_server": "web", "tls_client": "client", "tls_peer": "peer"}

    def __init__(self, directory: Path, server: Server) -> None:
        """Mount a PKI, and an AppRole for a converger."""
        self.directory, self.pki = directory, pki(server)
        self.auth = approle(self.pki)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.auth["approle"]["secret_id"],)

    def options(self, profile: str = "tls_server", **said: t.Any) -> Options:
        return self.pki.options(self.auth, **{"role": self._ROLES[profile], **said})

    def narrow(self) -> tuple[Options, str]:
        return self.options(role="elsewhere"), "role elsewhere does not allow a.example.org"

    def short(self) -> Options:
        return self.options(role="short")

    def forgetful(self) -> Options:
        return self.options(role="no_store")

    def unreachable(self) -> Options:
        (port,) = free_ports(1)
        return self.options(url=f"https://127.0.0.1:{port}", timeout="5s")

    def wrong(self) -> dict[str, Wrong]:
        known, used = self.auth["approle"], wrapped(self.auth, self.pki)
        self.pki.call("POST", "sys/wrapping/unwrap", {"token": used["approle"]["wrapped_secret_id"]})
        stranger = certificate(self.pki, self.directory, trustme.CA())
        mallory, powerless = jwt(self.pki, "mallory"), token(self.pki, "default")
        wrongs: dict[str, tuple[Options, str]] = {
            "token": ({"token": {"token": "s.thisopensnothing"}}, "s.thisopensnothing"),
            "token without rights": ({"token": {"token": powerless}}, powerless),
            "secret_id": ({"approle": {**known, "secret_id": "opens-nothing"}}, "opens-nothing"),
            "used wrapping": (used, used["approle"]["wrapped_secret_id"]),
            "certificate of a stranger": (stranger, "PRIVATE KEY"),
            "jwt of another": (mallory, mallory["jwt"]["jwt"]),
        }
        return {what: Wrong(self.pki.options(auth), (secret,)) for what, (auth, secret) in wrongs.items()}

    @property
    def upstream(self) -> Upstream:
        server = self.pki.server
        return Upstream(server.url, server.ca_bundle, server.authority)

    def through(self, url: str, **said: t.Any) -> Options:
        return self.options(**{"url": url, "timeout": "2s", **said})

    @contextlib.contextmanager
    def outage(self) -> t.Iterator[str]:
        """Seal it, as a restart does."""
        self.pki.server.seal()
        try:
            yield "sealed.*unseal"
        finally:
            self.pki.server.unseal()

    def logins(self) -> int:
        path = f"auth/{self.auth['approle']['mount']}/login"
        entries = self.pki.server.audited()
        return sum(one["type"] == "request" and one["request"]["path"] == path for one in entries)
