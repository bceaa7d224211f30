# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An authority that nobody here runs, and where it publishes: OpenSSL's responder, and lists by HTTP."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import subprocess
import threading
import typing as t

from ansible_collections.keystead.identity.tests.harness.in_process import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

if t.TYPE_CHECKING:
    from pathlib import Path


Site = t.TypeVar("Site", bound=http.server.ThreadingHTTPServer)


@contextlib.contextmanager
def serving(site: Site) -> t.Iterator[Site]:
    """Let a server answer."""
    with site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site
        site.shutdown()


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


class Authority:
    """An authority that nobody here runs: what it signs names a responder, a list, both, or nothing."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.key = directory, ec.generate_private_key(ec.SECP256R1())
        directory.mkdir()
        is_ca = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = self._signed("theirs", self.key.public_key(), [(is_ca, True)])
        self.pem = directory / "ca.pem"
        self.pem.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        (directory / "ca.key").write_bytes(pem_of(self.key))

    def leaf(self, *, responder: str = "", lists: str | t.Sequence[str] = "", days: int = 25) -> x509.Certificate:
        """Return a certificate for web.example.org, whose key and certificate are written beside."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName("web.example.org")])
        more: list[tuple[x509.ExtensionType, bool]] = [
            (names, False), (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        ]  # fmt: skip
        if responder:
            said = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(responder))
            more.append((x509.AuthorityInformationAccess([said]), False))
        if lists:
            copies = [lists] if isinstance(lists, str) else lists
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(one) for one in copies], None, None, None)
            more.append((x509.CRLDistributionPoints([point]), False))
        leaf = self._signed("web.example.org", key.public_key(), more, days)
        (self.directory / "web.key").write_bytes(pem_of(key))
        (self.directory / "web.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        return leaf

    def list(self, *revoked: x509.Certificate, days: int = 1) -> bytes:
        """Return a revocation list (DER)."""
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(now - dt.timedelta(days=2)).next_update(now + dt.timedelta(days=days))
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(now)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def adopted(self) -> dict[str, t.Any]:
        """Return the declaration that takes the pair over."""
        paths = {"private_key": "web.key", "certificate": "web.pem", "chain": "ca.pem"}
        return web(adopt={option: str(self.directory / name) for option, name in paths.items()})

    def _signed(
        self, name: str, public_key: t.Any, more: list[tuple[x509.ExtensionType, bool]], days: int = 25
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "theirs")])).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=5))
            .not_valid_after(now + dt.timedelta(days=days))
        )  # fmt: skip
        for extension, critical in more:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Lists(http.server.ThreadingHTTPServer):
    """Serves one list, and counts."""

    content, asked = b"", 0
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/1.crl"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every request with the list."""

    server: Lists

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_said: object) -> None:
        """Say nothing."""


class Responder(http.server.ThreadingHTTPServer):
    """Answers by OpenSSL's responder, which by itself would listen on every interface."""

    lines: tuple[str, ...] = ()
    ends = True  # else answers name no end

    def __init__(self, authority: Authority) -> None:
        super().__init__(("127.0.0.1", 0), Responding)
        self.directory, self.url = authority.directory, f"http://127.0.0.1:{self.server_port}"

    def answer(self, request: bytes) -> bytes:
        """Return the response (DER) to a request."""
        (self.directory / "index").write_text("".join(f"{line}\n" for line in self.lines), encoding="ascii")
        (self.directory / "request").write_bytes(request)
        argv = ["openssl", "ocsp", "-index", "index", "-rsigner", "ca.pem", "-rkey", "ca.key", "-CA", "ca.pem",
                "-reqin", "request", "-respout", "response", *(["-nmin", "5"] if self.ends else [])]  # fmt: skip
        subprocess.run(argv, cwd=self.directory, check=True, capture_output=True, timeout=20)
        return (self.directory / "response").read_bytes()


class Responding(http.server.BaseHTTPRequestHandler):
    """Answers a request by POST (RFC 6960, A.1)."""

    server: Responder

    def do_POST(self) -> None:
        content = self.server.answer(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_said: object) -> None:
        """Say nothing."""


def line(leaf: x509.Certificate, revoked: str = "") -> str:
    """Return what an index of OpenSSL says of a certificate."""
    end = f"{leaf.not_valid_after_utc:%y%m%d%H%M%SZ}"
    return "\t".join(["R" if revoked else "V", end, revoked, f"{leaf.serial_number:040X}", "unknown", "/CN=web"])
