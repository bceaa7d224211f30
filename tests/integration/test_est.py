# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `est` where EST differs from all others: who is believed at first, what is wanted, and what takes time."""

from __future__ import annotations

import base64
import re
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    KeysteadError,
    Misconfigured,
    Unavailable,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Order
from ansible_collections.keystead.identity.plugins.plugin_utils._answer import accepted
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.est import LABELS, PASSWORD, Backend
from ansible_collections.keystead.identity.tests.harness.est_server import BASE, Authority, Est, Label, running
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.issuers import Made, check_sentence, refusal, settled
from cryptography import x509
from cryptography.hazmat.primitives import hashes

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core


class Place(t.NamedTuple):
    """A server of one test, and its backend."""

    est: Est
    backend: Backend

    def made(self) -> Made:
        """Return it as the contract suite has it."""
        return Made("est", self.backend)

    def issuer(self, **said: t.Any) -> t.Any:
        """Make an issuer."""
        return self.made().issuer(**said)

    def refused(self, **said: t.Any) -> str:
        """Return why a request is refused."""
        error = refusal(self.issuer(**said), make.request())
        assert isinstance(error, KeysteadError)
        return check_sentence(error, "est", self.backend.secrets)


@pytest.fixture
def place(tmp_path: Path) -> t.Iterator[Place]:
    directory = tmp_path / "est"
    directory.mkdir()
    with running(directory, **LABELS) as server:
        yield Place(server, Backend(directory, server))


# whom we believe


def test_a_registration_authority_enrols_by_its_certificate_alone(place: Place) -> None:
    issuer = place.made().issuer(place.backend.by_certificate())
    assert settled(issuer, make.request())
    assert place.est.asked[-1].startswith(f"POST {BASE}/server/simpleenroll by ")
    assert "Testing CA" in place.est.asked[-1]


def test_a_server_whose_tls_nobody_knows_is_believed_by_the_pinned_root_alone(place: Place) -> None:
    """Its TLS certificate has to come from that root: another one gets no request and no credential."""
    options = {**place.backend.options(), "ca_bundle": None}
    error = refusal(place.made().issuer(options), make.request())
    assert isinstance(error, Misconfigured), repr(error)
    assert "signed by nobody who is trusted here" in str(error)
    assert place.est.asked == [f"GET {BASE}/server/cacerts by nobody"]
    place.est.serve_by_root()
    assert settled(place.made().issuer(options), make.request())


def test_a_root_with_another_fingerprint_ends_it_before_anything_is_asked(place: Place) -> None:
    for bundle in (str(place.est.ca_bundle), None):
        said = place.refused(fingerprint_sha256="00" * 32, ca_bundle=bundle)
        assert re.search(f"no root with the fingerprint {'00' * 32}, but [0-9a-f]{{64}}; do not go on", said)
    assert {one.partition(" by ")[2] for one in place.est.asked} == {"nobody"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"fingerprint_sha256": None}, r"roots is missing: who is met for the first time is not believed; name"),
        ({"roots": ["x"]}, r"fingerprint_sha256: roots says who is trusted already; leave one"),
        ({"fingerprint_sha256": "abc"}, r"fingerprint_sha256: 'abc' is not a SHA-256 fingerprint; write"),
        ({"label": "a/b"}, r"label: 'a/b' cannot be one; write"),
        ({"label": "cacerts"}, r"label: 'cacerts' cannot be one; write"),
        ({"url": "https://est.example.org/pki"}, r"url: its path is not /.well-known/est; write"),
        ({"url": "http://est.example.org"}, r"url: http://est.example.org is not safe; write https"),
        ({"auth": {"basic": {"username": "a:b", "password": "c"}}}, r"username: it is empty, or has a colon"),
        ({"auth": {"basic": {"username": "a"}}}, r"exactly one of password, password_file is needed, found none"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_remedy(place: Place, said: dict[str, t.Any], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        place.issuer(**said)


def test_a_url_is_the_same_with_and_without_the_well_known_path(place: Place) -> None:
    names = {place.issuer(url=f"{place.est.url}{end}").id for end in ("", "/", BASE, f"{BASE}/")}
    assert names == {f"est:{place.est.url}{BASE}/server"}


def test_a_password_may_be_in_a_file(place: Place, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    said = {"username": "converger", "password_file": str(tmp_path / "password")}
    assert settled(place.issuer(auth={"basic": said}), make.request())


# a root that changes its key (RFC 7030, 4.1.3)


def test_a_new_root_is_reached_from_the_old_one_that_is_trusted(place: Place) -> None:
    """And what the new one signs is believed by who trusts the new one only, with a shorter chain."""
    old = place.est.root
    place.est.authority.roll()
    for root, between in ((old, 2), (place.est.root, 1)):
        trusting = {**place.backend.options(roots=[root]), "fingerprint_sha256": None}
        issuer, asked = place.made().issuer(trusting), make.request()
        (generation,) = settled(issuer, asked)
        assert accepted(generation, asked, make.public_id(), issuer.roots(), make.now())
        chain = x509.load_pem_x509_certificates(generation.parts["chain"].content)
        assert len(chain) == between
        assert chain[-1].issuer == place.est.authority.name


# what is wanted in a request (csrattrs)


def attributes(*values: str) -> bytes:
    """Return CsrAttrs of these values, each in hexadecimal."""
    content = bytes.fromhex("".join(values))
    return bytes([0x30, len(content)]) + content


CHALLENGE, P256, P384 = "06092a864886f70d010907", "06082a8648ce3d030107", "06052b81040022"
EC, SHA256, SHA384, MAC = "06072a8648ce3d0201", "06082a8648ce3d040302", "06082a8648ce3d040303", "06072b060101010116"


def attribute(oid: str, *values: str) -> str:
    """Return an Attribute with values, in hexadecimal."""
    inner = "".join(values)
    content = f"{oid}31{len(inner) // 2:02x}{inner}"
    return f"30{len(content) // 2:02x}{content}"


def extensions(*oids: str) -> str:
    """Return the attribute that asks for extensions."""
    each = "".join(f"30{len(oid) // 2:02x}{oid}" for oid in oids)
    return attribute("06092a864886f70d01090e", f"30{len(each) // 2:02x}{each}")


@pytest.mark.parametrize(
    "wants",
    [(), (attribute(EC, P256),), (SHA256,), (MAC,), (attribute(EC, P256), SHA256), (extensions("0603551d11"),)],
    ids=["nothing", "the curve", "the hash", "what nobody knows", "both", "alternative names"],
)
def test_what_is_wanted_and_is_there_changes_nothing(place: Place, wants: tuple[str, ...]) -> None:
    place.est.labels["server"] = Label(wants=attributes(*wants))
    issuer = place.issuer()
    assert settled(issuer, make.request())
    advice = ["est: it wants 1.3.6.1.1.1.1.22 in requests, which nobody here knows; it is passed over"]
    assert issuer.advice() == (advice if MAC in wants else [])


@pytest.mark.parametrize(
    ("wants", "why"),
    [
        (CHALLENGE, "it wants a challenge password .*; let it do without"),
        (attribute(EC, P384), "it wants keys of type ecdsa-p384; declare key.type so for web"),
        (SHA384, "it wants keys of type ecdsa-p384; declare key.type so for web"),
        ("06092a864886f70d010101", "it wants keys of type rsa-; declare key.type so for web"),
        (extensions("0603551d25"), r"it wants the extension 2\.5\.29\.37 in the request for web, .*; let the server"),
    ],
    ids=["a challenge", "another curve", "another hash", "another algorithm", "an extension"],
)
def test_what_is_wanted_and_cannot_be_given_is_refused_before_it_is_asked(place: Place, wants: str, why: str) -> None:
    place.est.labels["server"] = Label(wants=attributes(wants))
    assert re.search(why, place.refused())
    assert not place.est.signed


@pytest.mark.parametrize(
    "wants", [b"\x30\x05", b"\x30\x03\x06\x01\x80", b"\x02\x01\x01\x00", b"\x30\x84\xff\xff\xff\xff"]
)
def test_attributes_that_cannot_be_understood_end_it_before_anything_is_asked(place: Place, wants: bytes) -> None:
    place.est.labels["server"] = Label(wants=wants)
    error = refusal(place.issuer(), make.request())
    assert isinstance(error, Unavailable), repr(error)
    assert "csrattrs" in str(error)
    assert not place.est.signed


# what takes time (202)


def test_what_is_not_decided_yet_is_asked_for_again_and_not_before_its_time(place: Place) -> None:
    issuer = place.issuer(label="slower")
    (order,) = issuer.begin([make.request()])
    assert isinstance(order, Order)
    assert order.retry_after == 60
    asked = len(place.est.asked)
    (again,) = issuer.finish([order])
    assert isinstance(again, Order)
    assert 50 < again.retry_after <= 60
    assert len(place.est.asked) == asked


def test_a_server_that_does_not_say_when_is_asked_a_minute_later(place: Place) -> None:
    place.est.labels["slow"] = Label(polls=1, retry_after=None)
    (order,) = place.issuer(label="slow").begin([make.request()])
    assert order.retry_after == 60


def test_a_run_that_waits_gets_what_is_decided_meanwhile(place: Place, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    world.settled([web()], issuer={"est": place.backend.options(label="slow")}, wait="20s")
    assert len(place.est.signed) == 1


def test_what_is_pending_goes_on_in_the_next_run_and_is_no_orphan(place: Place, tmp_path: Path) -> None:
    world, issuer = World(tmp_path / "world"), {"est": place.backend.options(label="slow")}
    for since in ("", r", since 2\d{3}-\d\d-\d\d \d\d:\d\d UTC, for \d+s"):
        result = world.converge([web()], issuer=issuer)
        assert result["failed"] is True
        assert re.fullmatch(f"est: it has not decided on web yet{since}; run again later", result["msg"]), result["msg"]
        assert result.get("warnings", []) == []
    world.settled([web()], issuer=issuer)
    assert len(place.est.signed) == 1
    assert world.query("SELECT number, state FROM generations") == [(1, "current")]


# what a host gets


def test_a_certificate_that_lives_longer_than_declared_is_not_installed(place: Place, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    result = world.converge([web(lifetime="7d")], issuer={"est": place.backend.options(label="month")})
    assert result["failed"] is True
    assert "longer than asked; declare lifetime: 30d" in result["msg"]
    assert not world.path("web", "current").exists()
    world.settled([web(lifetime="30d")], issuer={"est": place.backend.options(label="month")})


def test_the_server_of_the_pinned_root_is_told_from_another_one(place: Place, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    world.settled([web()], issuer={"est": place.backend.options()})
    place.est.authority = Authority()  # the same server, with an authority of somebody else
    changed = place.est.authority.root.fingerprint(hashes.SHA256()).hex()
    result = world.converge([web(dns_names=["b.example.org"])], issuer={"est": place.backend.options()})
    assert result["failed"] is True
    assert re.search(f"its root changed from [0-9a-f]{{64}} to {changed}; if that is right, say so", result["msg"])


def test_a_playbook_enrols_and_changes_nothing_the_second_time(place: Place, tmp_path: Path) -> None:
    said = {
        "issuer": {"est": place.backend.options()},
        "ledger": f"sqlite:////{str(tmp_path / 'ledger.sqlite').lstrip('/')}",
        "store": str(tmp_path / "store"),
        "identities": [web(dns_names=["web.example.org"])],
    }
    tasks = [{"keystead.identity.machine_identity": said}]
    for changed in (1, 0):
        done = playbook.run(tasks, playbook.ONE_HOST, "-vvvv", "--diff", home=tmp_path / "home")
        recap = playbook.recap(done)["web1"]
        assert (recap["changed"], recap["failed"]) == (changed, 0), done.stdout
        shown = done.stdout + done.stderr
        for secret in (PASSWORD, base64.b64encode(f"converger:{PASSWORD}".encode()).decode()):
            assert secret not in shown


def test_a_lost_answer_is_an_orphan_and_another_one_is_signed(place: Place, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    with faulty.before(*place.backend.upstream) as proxy:
        issuer = {"est": place.backend.through(proxy.url)}
        proxy.fail(faulty.lose, "/simpleenroll", times=1)
        assert world.converge([web()], issuer=issuer)["failed"] is True
        world.converge([web()], issuer=issuer)
    assert len(place.est.signed) == 2
    assert world.query("SELECT state FROM generations ORDER BY id") == [("orphaned",), ("current",)]
