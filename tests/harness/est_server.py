# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A server of EST (RFC 7030, 8951) for tests, over Python's ssl and an authority in memory.

No system packages one. tests/integration/test_est_server.py shows that independent clients accept it.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import functools
import hmac
import http.server
import ipaddress
import itertools
import socketserver
import ssl
import threading
import typing as t
from dataclasses import dataclass, field

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if t.TYPE_CHECKING:
    from pathlib import Path

BASE = "/.well-known/est"
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass
class Label:
    """How one label signs. `polls` is how often it says 202 before it does, `wants` the DER of its CSR attributes."""

    usages: tuple[x509.ObjectIdentifier, ...] = (SERVER,)
    life: dt.timedelta = dt.timedelta(days=1)
    below: str = "example.org"
    polls: int = 0
    retry_after: str | None = "0"
    wants: bytes | None = None


def certificate(  # noqa: PLR0913 - what a certificate says
    subject: x509.Name, public_key: t.Any, issuer: x509.Name, issuer_key: t.Any, life: dt.timedelta, *,
    ca: bool = False, extensions: t.Sequence[x509.ExtensionType] = (),
) -> x509.Certificate:  # fmt: skip
    """Sign a certificate."""
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder(issuer, subject, public_key, x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + life)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(_usage(ca=ca), critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.SubjectAlternativeName))
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, ca: bool) -> x509.KeyUsage:
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
             "decipher_only")  # fmt: skip
    return x509.KeyUsage(
        digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, **dict.fromkeys(names, False)
    )


class Authority:
    """A root and an authority below it. `roll` gives the root another key, under its old name (RFC 7030, 4.1.3)."""

    def __init__(self) -> None:
        """Make both."""
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "est root")])
        self.issuing_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "est issuing")])
        self.key, self.issuing_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.root = self._above(self.key, self.key)
        self.issuing = self._below()
        self.links: list[x509.Certificate] = []

    def _above(self, key: t.Any, by: t.Any) -> x509.Certificate:
        return certificate(self.name, key.public_key(), self.name, by, dt.timedelta(days=3650), ca=True)

    def _below(self) -> x509.Certificate:
        public, life = self.issuing_key.public_key(), dt.timedelta(days=400)
        return certificate(self.issuing_name, public, self.name, self.key, life, ca=True)

    def roll(self) -> None:
        """Change the key of the root: from now on a new one signs, and both have signed each other."""
        old, old_root, new = self.key, self.root, ec.generate_private_key(ec.SECP256R1())
        self.links = [old_root, self._above(old, new), self._above(new, old)]
        self.key, self.root = new, self._above(new, new)
        self.issuing_key = ec.generate_private_key(ec.SECP256R1())
        self.issuing = self._below()

    @property
    def named(self) -> list[x509.Certificate]:
        """What /cacerts has."""
        return [self.root, *self.links, self.issuing]

    def sign(self, csr: x509.CertificateSigningRequest, label: Label) -> x509.Certificate:
        """Sign what a request names."""
        names = [one.value for one in csr.extensions if isinstance(one.value, x509.SubjectAlternativeName)]
        return certificate(
            csr.subject, csr.public_key(), self.issuing_name, self.issuing_key, label.life,
            extensions=[*names, x509.ExtendedKeyUsage(label.usages)],
        )  # fmt: skip


@dataclass
class Est:
    """A running server. What tests look at: `signed`, `asked` as `METHOD path by whom`, `logins` by connection.

    `curt` lets it end each connection after an answer without having said so,
    `grants` says what it answers in place of what it signed, `revoked` are serial numbers that it accepts no more,
    `broken` has the status and the body that an operation answers with, whatever it was asked.
    """

    url: str
    ca_bundle: Path
    tls: trustme.CA
    authority: Authority
    labels: dict[str, Label]
    passwords: dict[str, str] = field(default_factory=dict)
    signed: list[x509.Certificate] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)  # by number: an address in memory is used again
    waiting: dict[bytes, int] = field(default_factory=dict)
    out_of_service: bool = False
    curt: bool = False
    grants: t.Callable[[x509.Certificate], list[x509.Certificate]] | None = None
    revoked: set[int] = field(default_factory=set)
    broken: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    context: ssl.SSLContext | None = None

    def serve_by_root(self) -> None:
        """Show a TLS certificate that comes from the root of the authority itself, as many servers do."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        root = self.authority
        made = certificate(x509.Name([]), key.public_key(), root.name, root.key, dt.timedelta(days=1),
                           extensions=[address])  # fmt: skip
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pair = self.ca_bundle.with_name("tls-of-root.pem")
        pair.write_bytes(made.public_bytes(Encoding.PEM) + pem)
        if self.context:
            self.context.load_cert_chain(pair)

    def shut_out(self) -> None:
        """Accept no more certificates of clients but those of the TLS authority."""
        self.context = _context(self.tls)

    @property
    def root(self) -> str:
        """The root, PEM."""
        return self.authority.root.public_bytes(Encoding.PEM).decode()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def setup(self) -> None:
        self.number = next(self.server.numbers)
        self.request.settimeout(30)
        self.request = t.cast("ssl.SSLContext", self.server.est.context).wrap_socket(self.request, server_side=True)
        super().setup()

    def _answer(self) -> None:
        body, est = self.rfile.read(int(self.headers.get("Content-Length") or 0)), self.server.est
        label, _slash, operation = self.path.removeprefix(BASE).strip("/").rpartition("/")
        who = self._who()
        est.asked.append(f"{self.command} {self.path} by {who or 'nobody'}")
        if est.out_of_service:
            self._say(503, b"down for maintenance", "text/plain")
        elif operation in est.broken:
            self._say(est.broken[operation][0], est.broken[operation][1], "text/plain")
        elif label not in est.labels or not self.path.startswith(BASE):
            self._say(404, b"no such label", "text/plain")
        elif (self.command, operation) == ("GET", "cacerts"):
            self._certificates(est.authority.named)
        elif (self.command, operation) == ("GET", "csrattrs"):
            wants = est.labels[label].wants
            self._say(204) if wants is None else self._say(200, _encoded(wants), "application/csrattrs")
        elif self.command == "POST" and operation in ("simpleenroll", "simplereenroll"):
            self._enrol(operation, est.labels[label], body, who)
        else:
            self._say(404, b"no such operation", "text/plain")

    do_GET = do_POST = _answer  # noqa: N815 - as it is called

    def _who(self) -> str:
        """Say who asks: by a certificate of TLS, or a password (RFC 7617)."""
        shown = t.cast("ssl.SSLSocket", self.request).getpeercert(binary_form=True)
        if shown:
            return x509.load_der_x509_certificate(shown).issuer.rfc4514_string()
        kind, _space, said = self.headers.get("Authorization", "").partition(" ")
        name, _colon, password = base64.b64decode(said).decode().partition(":") if kind == "Basic" else ("", "", "")
        known = self.server.est.passwords.get(name, "")
        return name if known and hmac.compare_digest(known.encode(), password.encode()) else ""

    def _enrol(self, operation: str, label: Label, body: bytes, who: str) -> None:
        est = self.server.est
        if not who:
            self._say(401, b"who are you?", "text/plain", {"WWW-Authenticate": 'Basic realm="est"'})
            return
        est.connections.add(self.number)
        csr = x509.load_der_x509_csr(base64.b64decode(body))
        reason = self._against(operation, csr, label)
        if reason:
            self._say(400, reason.encode(), "text/plain")
            return
        key = csr.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if est.waiting.setdefault(key, label.polls):  # by the key, as libest does: signatures of ECDSA differ each time
            est.waiting[key] -= 1
            self._say(202, b"", "text/plain", {"Retry-After": label.retry_after} if label.retry_after else {})
            return
        est.signed.append(est.authority.sign(csr, label))
        self._certificates(est.signed[-1:] if est.grants is None else est.grants(est.signed[-1]))

    def _against(self, operation: str, csr: x509.CertificateSigningRequest, label: Label) -> str:
        """Say what speaks against a request; nothing where it is fine."""
        if not csr.is_signature_valid:
            return "the signature is wrong"
        names = [one.value for one in csr.extensions if isinstance(one.value, x509.SubjectAlternativeName)]
        bad = [one for value in names for one in value.get_values_for_type(x509.DNSName)
               if not one.endswith(label.below)]  # fmt: skip
        if bad:
            return f"{bad[0]} is not below {label.below}"
        if operation == "simplereenroll":  # RFC 7030, 4.2.2
            shown = t.cast("ssl.SSLSocket", self.request).getpeercert(binary_form=True)
            old = x509.load_der_x509_certificate(shown) if shown else None
            if old and old.serial_number in self.server.est.revoked:
                return "this certificate is revoked"
            if old is None or old.issuer != self.server.est.authority.issuing_name or old.subject != csr.subject:
                return "a certificate of mine, for the same subject, has to ask for another one"
            if old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value != names[0]:
                return "the alternative names are not those of the old certificate"
        return ""

    def _certificates(self, certificates: t.Sequence[x509.Certificate]) -> None:
        content = pkcs7.serialize_certificates(list(certificates), Encoding.DER)
        self._say(200, _encoded(content), "application/pkcs7-mime; smime-type=certs-only")

    def _say(self, status: int, body: bytes = b"", kind: str = "", more: t.Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(more or {})}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.close_connection or self.server.est.curt


def _context(tls: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    tls.configure_trust(context)
    return context


def _encoded(content: bytes) -> bytes:
    return base64.b64encode(content)  # strongSwan reads no line breaks


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads, block_on_close, allow_reuse_address = True, False, True
    est: Est
    numbers: t.ClassVar[t.Iterator[int]] = itertools.count()

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients that are not believed go away here as they should."""


@contextlib.contextmanager
def running(directory: Path, **labels: Label) -> t.Iterator[Est]:
    """Run a server with these labels, and one without a name, that believes certificates of its own TLS authority."""
    tls, authority = trustme.CA(), Authority()
    tls.cert_pem.write_to_path(str(directory / "tls-ca.pem"))
    listener = _Listener(("127.0.0.1", 0), _Handler)
    url = f"https://127.0.0.1:{listener.server_address[1]}"
    listener.est = Est(url, directory / "tls-ca.pem", tls, authority, {"": Label(), **labels})
    listener.est.context = _context(tls)
    listener.est.context.load_verify_locations(cadata=listener.est.root)
    thread = threading.Thread(target=functools.partial(listener.serve_forever, 0.02), daemon=True)
    thread.start()
    try:
        yield listener.est
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
