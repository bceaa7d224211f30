# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""check_status: live. Who signed a certificate is asked, else what it names: OpenSSL's responder, and lists by HTTP."""

from __future__ import annotations

import datetime as dt
import http.server
import subprocess
import threading
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, Revoked, Unknown
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._published import Published
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

LIVE = {"check_status": "live"}
RENEWAL = ["stage_key", "issue", "publish", "destroy"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def test_what_its_authority_revoked_elsewhere_is_replaced_and_only_a_live_run_knows(world: World) -> None:
    world.converge([web(), web(name="api")])
    (options,) = world.issuer().values()
    (revoked,) = LocalIssuer(options).revoke([der(world.certificate())], "key_compromise")
    assert world.settled([web(), web(name="api")])["changed"] is False
    done = world.foreseen([web(), web(name="api")], **LIVE)["identities"]
    assert [steps(one) for one in done] == [RENEWAL, []]
    assert reason(done[0]) == "it was revoked (key_compromise)"
    assert world.query("SELECT state, revocation_reason FROM generations WHERE state = 'revoked'") == [
        ("revoked", "key_compromise")
    ]
    assert isinstance(revoked, Revoked)
    again = world.settled([web(), web(name="api")], **LIVE)
    assert (again["changed"], again["warnings"]) == (False, [])


@pytest.mark.needs("openbao")
def test_an_openbao_tells_what_somebody_revoked_there(openbao: Server, tmp_path: Path) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    issuer = {"openbao": pki.options(make.approle(pki))}
    world.one(web(), issuer=issuer)
    serial = f"{world.certificate().serial_number:x}"
    number = ":".join(f"{int(serial, 16):040x}"[n : n + 2] for n in range(0, 40, 2)).removeprefix("00:")
    pki.call("POST", f"{pki.mount}/revoke", {"serial_number": number})
    assert world.one(web(), issuer=issuer)["steps"] == []
    done = world.foreseen([web()], issuer=issuer, **LIVE)["identities"][0]
    assert (steps(done), reason(done)) == (RENEWAL, "it was revoked (unspecified)")
    assert world.settled([web()], issuer=issuer, **LIVE)["changed"] is False


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

    def leaf(self, *, responder: str = "", lists: str = "") -> x509.Certificate:
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
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(lists)], None, None, None)
            more.append((x509.CRLDistributionPoints([point]), False))
        leaf = self._signed("web.example.org", key.public_key(), more)
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

    def _signed(self, name: str, public_key: t.Any, more: list[tuple[x509.ExtensionType, bool]]) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "theirs")])).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=5))
            .not_valid_after(now + dt.timedelta(days=25))
        )  # fmt: skip
        for extension, critical in more:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "theirs")


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


@pytest.fixture
def lists() -> t.Iterator[Lists]:
    with Lists() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_list_is_fetched_once_and_says_what_it_may(authority: Authority, lists: Lists) -> None:
    good, bad = authority.leaf(lists=lists.url), authority.leaf(lists=lists.url)
    lists.content = authority.list(bad)
    published, above = Published(), [der(authority.certificate)]
    assert isinstance(published.status(der(good), above)[0], Good)
    assert isinstance(published.status(der(bad), above)[0], Revoked)
    assert lists.asked == 1
    assert published.status(der(bad), []) == (Unknown(), "the certificate that signed it is not known here")


@pytest.mark.parametrize("what", ["stale", "of another", "none", "gone", "elsewhere", "PEM"])
def test_a_list_that_cannot_be_believed_says_nothing(
    authority: Authority, lists: Lists, tmp_path: Path, what: str
) -> None:
    leaf = authority.leaf(lists=lists.url)
    lists.content = {
        "stale": authority.list(days=-1), "of another": Authority(tmp_path / "other").list(), "none": b"<html>",
        "PEM": x509.load_der_x509_crl(authority.list()).public_bytes(Encoding.PEM),
    }.get(what, authority.list())  # fmt: skip
    lists.status = {"gone": 404, "elsewhere": 302}.get(what, 200)
    found, why = Published().status(der(leaf), [der(authority.certificate)])
    assert isinstance(found, Good if what == "PEM" else Unknown)
    assert why == ("" if what == "PEM" else f"{lists.url} say nothing that holds now")


def test_an_adopted_certificate_that_its_authority_revoked_is_replaced(
    world: World, authority: Authority, lists: Lists
) -> None:
    leaf = authority.leaf(lists=lists.url)
    lists.content = authority.list()
    world.settled([authority.adopted()])
    assert world.settled([authority.adopted()], **LIVE)["changed"] is False
    lists.content = authority.list(leaf)
    done = world.foreseen([authority.adopted()], **LIVE)["identities"][0]
    assert reason(done) == "it was revoked (unspecified)"
    assert world.settled([authority.adopted()], **LIVE)["changed"] is False


def test_what_nobody_tells_is_a_warning_and_changes_nothing(world: World, authority: Authority) -> None:
    authority.leaf()
    world.settled([authority.adopted()])
    (warning,) = world.settled([authority.adopted()], **LIVE)["warnings"]
    assert warning == "nobody tells whether web is revoked: it names no responder and no revocation list"


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


@pytest.fixture
def responder(authority: Authority) -> t.Iterator[Responder]:
    with Responder(authority) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def line(leaf: x509.Certificate, revoked: str = "") -> str:
    """Return what an index of OpenSSL says of a certificate."""
    end = f"{leaf.not_valid_after_utc:%y%m%d%H%M%SZ}"
    return "\t".join(["R" if revoked else "V", end, revoked, f"{leaf.serial_number:040X}", "unknown", "/CN=web"])


@pytest.mark.parametrize("ends", [True, False])
def test_a_responder_is_believed_by_the_nonce_that_it_repeats(
    authority: Authority, responder: Responder, *, ends: bool
) -> None:
    """OpenSSL's responder names no end unless it is told to: then only our nonce shows that its answer is of now."""
    good, bad, unknown = (authority.leaf(responder=responder.url) for _one in range(3))
    above, responder.ends = [der(authority.certificate)], ends
    responder.lines = (line(good), line(bad, "260101000000Z,keyCompromise"))
    published = Published()
    assert isinstance(published.status(der(good), above)[0], Good)
    found = published.status(der(bad), above)[0]
    assert (type(found), getattr(found, "reason", "")) == (Revoked, "key_compromise")
    assert isinstance(published.status(der(unknown), above)[0], Unknown)


def test_where_the_responder_is_silent_the_list_says_it(authority: Authority, lists: Lists) -> None:
    leaf = authority.leaf(responder="http://127.0.0.1:9", lists=lists.url)
    lists.content = authority.list(leaf)
    assert isinstance(Published().status(der(leaf), [der(authority.certificate)])[0], Revoked)
