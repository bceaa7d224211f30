# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""An issuer that lies: what it answers is not installed, the host stays as it is, and the ledger says failed (V1)."""

from __future__ import annotations

import datetime as dt
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Part, Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Order
from ansible_collections.keystead.identity.plugins.plugin_utils._edge import told
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Request

ESCAPE = "\x1b]0;owned\x07"
Answers = t.Callable[["FakeIssuer", t.Sequence["Request"]], t.Any]


class FakeIssuer:
    """A fake issuer, with state: a real authority behind it signs, and `lie` says what comes out."""

    def __init__(self, options: t.Mapping[str, t.Any], lie: Answers) -> None:
        """Open the real authority."""
        self.real = LocalIssuer(options)
        self.directory, self.lie, self.asked = Path(options["directory"]), lie, 0
        self.id, self.place = self.real.id, self.real.place

    def roots(self) -> tuple[bytes, ...]:
        """Return the real root."""
        return self.real.roots()

    def begin(self, requests: t.Sequence[Request]) -> t.Any:
        """Lie."""
        self.asked += 1
        return self.lie(self, requests)

    def finish(self, orders: t.Sequence[Order]) -> t.Any:
        """Never come to an end."""
        return list(orders)


def signed(issuer: FakeIssuer, request: Request, **otherwise: t.Any) -> Generation:
    """Return what the real authority answers to a request that was changed on the way."""
    (answer,) = issuer.real.begin([request._replace(**otherwise)])
    assert isinstance(answer, Generation)
    return answer


def each(change: t.Callable[[FakeIssuer, Request], t.Any]) -> Answers:
    """Return a lie about each request by itself."""
    return lambda issuer, requests: [change(issuer, request) for request in requests]


def with_parts(**parts: bytes) -> Answers:
    """Return a lie that replaces parts of a good answer."""

    def change(issuer: FakeIssuer, request: Request) -> Generation:
        good = signed(issuer, request)
        there = {name: part.content for name, part in good.parts.items()} | parts
        there["fullchain"] = there["certificate"] + there["chain"]
        return good._replace(parts={name: Part(content) for name, content in there.items()})

    return each(change)


def raising(error: Exception) -> Answers:
    """Return a lie that is an exception."""

    def lie(_issuer: FakeIssuer, _requests: t.Sequence[Request]) -> t.Any:
        raise error

    return lie


def made(*extensions: x509.ExtensionType, start: dt.timedelta = dt.timedelta(minutes=-5), days: int = 15) -> Answers:
    """Return a lie that is a certificate of the authority's, right but for these extensions or times."""

    def change(issuer: FakeIssuer, request: Request) -> Generation:
        key = load_pem_private_key((issuer.directory / "issuing" / "private_key.pem").read_bytes(), None)
        above = x509.load_pem_x509_certificate((issuer.directory / "issuing" / "certificate.pem").read_bytes())
        good = signed(issuer, request)
        pattern = x509.load_pem_x509_certificate(good.parts["certificate"].content)
        begin = (local.now() + start).replace(microsecond=0)
        builder = (
            x509.CertificateBuilder()
            .subject_name(pattern.subject)
            .issuer_name(above.subject)
            .public_key(pattern.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=days))
        )
        replaced = {extension.oid for extension in extensions}
        for extension in pattern.extensions:
            if extension.oid not in replaced:
                builder = builder.add_extension(extension.value, extension.critical)
        for value in extensions:
            builder = builder.add_extension(value, critical=True)
        return _described(good, builder.sign(key, hashes.SHA256()))

    return each(change)


def _described(good: Generation, certificate: x509.Certificate) -> Generation:
    pem = certificate.public_bytes(Encoding.PEM)
    parts = {**good.parts, "certificate": Part(pem), "fullchain": Part(pem + good.parts["chain"].content)}
    return good._replace(
        credential_id=pki.fingerprint(certificate.public_bytes(Encoding.DER)),
        public_id=spki_sha256(certificate.public_key()),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        parts=parts,
    )


def another_key(issuer: FakeIssuer, request: Request) -> Generation:
    """Return a certificate for a key of the issuer's own."""
    return signed(issuer, request, csr=pki.request(request.subject, local.key()))


def another_root(issuer: FakeIssuer, request: Request) -> Generation:
    """Return a certificate of another authority."""
    local.authority(issuer.directory, "stranger")
    stranger = LocalIssuer({"directory": str(issuer.directory), "authority": "stranger"})
    (answer,) = stranger.begin([request])
    return t.cast("Generation", answer)


LIES: dict[str, tuple[Answers, str]] = {
    "another key": (each(another_key), "another key"),
    "other names": (
        each(lambda one, asked: signed(one, asked, subject=Subject(dns_names=("bank.example.org",)))), "alternative",
    ),
    "one name more": (
        each(lambda one, asked: signed(one, asked, subject=Subject(dns_names=("web.example.org", "b.example.org")))),
        "alternative names",
    ),
    "a common name": (
        each(lambda one, asked: signed(one, asked, subject=asked.subject._replace(common_name="x"))), "subject",
    ),
    "a longer life": (each(lambda one, asked: signed(one, asked, lifetime=asked.lifetime * 2)), "longer than asked"),
    "another profile": (each(lambda one, asked: signed(one, asked, profile="tls_client")), "extended key usages"),
    "an authority": (made(x509.BasicConstraints(ca=True, path_length=None)), "authority"),
    "an unknown critical extension": (
        made(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")), "critical",
    ),
    "not yet": (made(start=dt.timedelta(days=1)), "not valid before"),
    "long ago": (made(start=dt.timedelta(days=-60)), "ended on"),
    "a root that nobody pinned": (each(another_root), "not signed by a pinned root"),
    "junk": (with_parts(certificate=b"junk"), "not made of certificates"),
    "nothing in the certificate": (with_parts(certificate=b""), "0 certificates"),
    "a key beside the certificate": (with_parts(chain=b"-----BEGIN PRIVATE KEY-----\n"), "not made of"),
    "megabytes": (with_parts(certificate=b"A" * (1 << 23)), "bytes"),
    "further parts": (with_parts(private_key=b"x"), "the parts"),
    "escapes in its id": (
        each(lambda one, asked: another_key(one, asked)._replace(issuer_id=ESCAPE)), "another key",
    ),
    "other words about it": (
        each(lambda one, asked: signed(one, asked)._replace(not_after=local.now())), "not the one it describes",
    ),
    "nothing": (lambda _one, _asked: None, "please report it"),
    "a string": (each(lambda _one, _asked: "granted"), "please report it"),
    "no answer": (lambda _one, _asked: [], "0 answers to 1"),
    "two answers": (lambda one, asked: [signed(one, asked[0])] * 2, "2 answers to 1"),
    "an order without end": (each(lambda _one, _asked: Order("x", 0.01)), "not decided"),
    "a refusal": (each(lambda _one, _asked: Denied(f"local: no{ESCAPE}")), "local: no?"),
    "an error": (raising(Unavailable("local: it is down")), "it is down"),
    "an error that nobody foresaw": (raising(KeyError("Canary-secret")), "local: unexpected KeyError"),
    "endless recursion": (raising(RecursionError()), "local: unexpected RecursionError"),
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with a two-tier authority, one identity in place, and a certificate for it."""
    directory = tmp_path / "authorities"
    local.two_tiers(directory)
    world = World(tmp_path)
    assert not world.converge([web()]).get("failed")
    return world


@pytest.mark.parametrize("lie", LIES)
def test_what_an_issuer_lies_is_not_installed(world: World, lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, reason = LIES[lie]
    before = _on_host(world)
    monkeypatch.setitem(ISSUERS, "local", lambda options: t.cast("t.Any", FakeIssuer(options, answers)))
    result = told("machine_identity", lambda: world.converge([web(lifetime="20d")]))

    assert reason in result["msg"], result["msg"]
    assert result["msg"].isprintable()
    assert "Canary" not in str(result)
    assert not result["changed"]
    assert _on_host(world) == before
    outcomes = world.query("SELECT action, outcome FROM events ORDER BY seq DESC LIMIT 1")
    assert outcomes == [("issue", "pending" if lie == "an order without end" else "failed")]
    assert world.remembered().generation == 1


def test_the_next_run_with_an_honest_issuer_heals(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for answers in (each(another_key), raising(KeyError("x")), lambda _one, _asked: []):
            patch.setitem(ISSUERS, "local", lambda options, lie=answers: t.cast("t.Any", FakeIssuer(options, lie)))
            assert world.converge([web(lifetime="20d")])["failed"]
    assert not world.converge([web(lifetime="20d")]).get("failed")
    assert world.current() == world.remembered().generation == 2


def test_one_lie_does_not_stop_the_siblings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(issuer: FakeIssuer, requests: t.Sequence[Request]) -> t.Any:
        return [another_key(issuer, one) if one.name == "api" else signed(issuer, one) for one in requests]

    monkeypatch.setitem(ISSUERS, "local", lambda options: t.cast("t.Any", FakeIssuer(options, lie)))
    names = ("api", "mail", "shop")
    result = world.converge([{"name": name, "dns_names": [f"{name}.example.org"]} for name in names])
    assert [record["failed"] for record in result["identities"]] == [True, False, False]
    assert "another key" in result["msg"]


def _on_host(world: World) -> dict[str, bytes]:
    """Return every file of the store but the key that waits, and the lease."""
    return {
        str(path): path.read_bytes()
        for path in sorted(world.store.rglob("*"))
        if path.is_file() and path.parent.name != "next" and path.name != "lease.json"
    }
