# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Mistakes in what a task says of an EST server, and servers that are broken: nothing is signed for nothing."""

from __future__ import annotations

import re
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.tests.harness import est_site
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness.est_server import BASE, Authority, Label
from ansible_collections.keystead.identity.tests.harness.est_site import BY_OWN, BY_PASSWORD, Site, Task, peer
from ansible_collections.keystead.identity.tests.harness.issuers import Made
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core
WAYS = ("host", "controller")


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    with est_site.beside(tmp_path) as found:
        yield found


def by_roots(site: Site, root: str, **said: t.Any) -> Task:
    """Return the option `issuer` with a root in place of a fingerprint."""
    return {"est": {**site.issuer(**said)["est"], "fingerprint_sha256": None, "roots": [root]}}


def stranger() -> str:
    """Return a root that has nothing to do with a server, under the very name of its own."""
    return Authority().root.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (404, b"", "there is no cacerts at its address; correct url or label"),
        (403, b"", "who we are may not use cacerts"),
        (400, b"no", "it refuses cacerts .no.; see its log"),
        (503, b"", "it answers cacerts with status 503; see its log"),
        (200, b"", "its list of authorities .cacerts. cannot be understood"),
        (200, b"MAMCAQE=", "its list of authorities .cacerts. cannot be understood"),
    ],
)
def test_a_server_whose_authorities_cannot_be_had_signs_nothing(
    site: Site, way: str, status: int, body: bytes, why: str
) -> None:
    site.est.broken["cacerts"] = status, body
    issuer = by_roots(site, site.est.root, enrol=way)
    for _run in range(2):
        result = site.world.converge([peer()], issuer=issuer)
        assert re.match(f"web: est: {why}", result["msg"]), result["msg"]
    assert (site.asked(), site.est.signed) == ([], [])
    assert {state for (state,) in site.world.query("SELECT state FROM generations")} == {"refused"}
    site.est.broken.clear()
    site.world.settled([peer()], issuer=issuer)


@pytest.mark.parametrize("way", WAYS)
def test_a_root_that_the_server_has_nothing_to_do_with_is_noticed_before_anything_is_signed(
    site: Site, way: str
) -> None:
    for root in (stranger(), site.est.tls.cert_pem.bytes().decode()):
        result = site.world.converge([peer()], issuer=by_roots(site, root, enrol=way))
        assert "is a root of issuer.est.roots, or signed by one; they have the fingerprints " in result["msg"]
        assert (site.asked(), site.est.signed) == ([], [])
    assert {state for (state,) in site.world.query("SELECT state FROM generations")} == {"refused"}


def test_a_preflight_says_that_a_root_is_a_wrong_one(site: Site) -> None:
    made = Made("est", site.backend)
    checks = made.issuer(roots=[stranger()], fingerprint_sha256=None).preflight()
    with pytest.raises(KeysteadError, match=r"none of its authorities \(cacerts\) is a root of issuer.est.roots"):
        list(checks)
    found = [one.found for one in made.issuer(roots=[site.est.root], fingerprint_sha256=None).preflight()]
    assert "its authorities lead to what is trusted: 1 root" in found


def test_an_answer_of_a_host_about_what_was_signed_never_says_that_it_was_refused(site: Site) -> None:
    """Somebody has to look for the certificate: it is somewhere."""

    def way(arguments: Task) -> Task:
        answer = site.world.execute(arguments)
        if arguments["phase"] == "enrol":
            answer["identities"][0]["enrolled"]["authorities"]["status"] = 404
        return answer

    result = site.world.converge([peer()], issuer=by_roots(site, site.est.root), execute=way)
    assert "est: there is no cacerts at its address" in result["msg"]
    assert len(site.est.signed) == 1
    assert site.world.query("SELECT state FROM generations") == [("intended",)]


# many identities of one host


def peers(count: int) -> list[Task]:
    """Return so many identities."""
    return [peer(name=f"web{number}", dns_names=[f"web{number}.example.org"]) for number in range(count)]


def test_a_wrong_password_is_tried_once_for_all_identities_of_a_host(site: Site) -> None:
    wrong = {"basic": {"username": "converger", "password": "open, barley"}}
    result = site.world.converge(peers(4), issuer=site.issuer(wrong))
    assert len(site.asked()) == 1
    assert [one["failed"] for one in result["identities"]] == [True] * 4
    assert len({one["msg"] for one in result["identities"]}) == 1
    assert result["identities"][3]["msg"].startswith("est: it does not accept who we are (who are you?); correct")


@pytest.mark.parametrize(("status", "times"), [(403, 2), (429, 1), (500, 2), (503, 2), (400, 4)])
def test_what_the_next_one_would_be_answered_too_is_not_asked_for_each(site: Site, status: int, times: int) -> None:
    """But for a refusal that is about one identity, as status 400 is; a server may mean that by a single 403."""
    site.est.broken["simpleenroll"] = status, b"no"
    site.world.converge(peers(4), issuer=site.issuer())
    assert len(site.asked()) == times
    site.est.broken.clear()
    site.world.converge(peers(4), issuer=site.issuer())
    lost = site.world.query("SELECT count(*) FROM generations WHERE state = 'orphaned'")
    assert lost == [(times if status >= 500 else 0,)]


@pytest.mark.parametrize(("status", "times"), [(429, 1), (503, 2), (400, 8)])
def test_a_server_that_is_broken_is_not_asked_for_each_renewal(site: Site, status: int, times: int) -> None:
    many = peers(4)
    site.world.settled(many, issuer=site.issuer())
    site.est.broken.update(dict.fromkeys(("simpleenroll", "simplereenroll"), (status, b"no")))
    site.asked()
    site.world.converge([{**one, "key": {"type": "ecdsa-p384"}} for one in many], issuer=site.issuer())
    assert len(site.asked()) == times


@pytest.mark.parametrize("where", ["/cacerts", "/simpleenroll"])
def test_a_server_that_is_silent_is_waited_for_once(site: Site, where: str) -> None:
    with faulty.before(*site.backend.upstream) as proxy:
        issuer = {"est": site.backend.through(proxy.url, label="peer", enrol="host", timeout="1s")}
        proxy.fail(faulty.hang, f" {BASE}/peer{where}")
        begun = time.monotonic()
        result = site.world.converge(peers(20), issuer=by_roots(site, site.est.root, **issuer["est"]))
        assert time.monotonic() - begun < 15, "one after the other would take 20"
    assert ["did not answer within 1s" in one["msg"] for one in result["identities"]] == [True] * 20


def test_a_pair_that_is_refused_says_nothing_about_that_of_another_identity(site: Site) -> None:
    many = peers(2)
    site.world.settled(many, issuer=site.issuer())
    site.est.revoked.add(site.world.certificate("web0").serial_number)
    site.asked()
    changed = [{**one, "key": {"type": "ecdsa-p384"}} for one in many]
    site.world.converge(changed, issuer=site.issuer())
    assert site.asked() == [BY_OWN, BY_OWN, BY_PASSWORD]
    assert site.world.certificate("web1").public_key().key_size == 384


# a renewal that is refused

REFUSALS: dict[str, t.Callable[[Site], object]] = {
    "is revoked there": lambda site: site.est.revoked.add(site.world.certificate().serial_number),
    "is not who it was": lambda site: site.est.broken.update(simplereenroll=(401, b"who?")),
    "may do that no more": lambda site: site.est.broken.update(simplereenroll=(403, b"no")),
    "was never offered that": lambda site: site.est.broken.update(simplereenroll=(404, b"no")),
    "is unknown to TLS": lambda site: site.est.shut_out(),
}


@pytest.mark.parametrize("how", REFUSALS)
def test_a_host_whose_certificate_is_refused_begins_anew_in_the_same_run(site: Site, how: str) -> None:
    site.world.settled([peer()], issuer=site.issuer())
    REFUSALS[how](site)
    site.asked()
    result = site.world.converge([peer(key={"type": "ecdsa-p384"})], issuer=site.issuer())
    assert not result.get("failed"), result.get("msg")
    assert site.asked() == [*([BY_OWN] if how != "is unknown to TLS" else []), BY_PASSWORD]
    (warning,) = [one for one in result["warnings"] if one.startswith("web: ")]
    assert re.fullmatch(r"web: what the host has is refused \(est: [^;]*\); it began anew", warning), warning
    assert site.world.certificate().public_key().key_size == 384
    assert site.world.query("SELECT number, state FROM generations ORDER BY id")[-1] == (2, "current")


def test_the_controller_begins_anew_for_a_host_where_it_began(site: Site) -> None:
    issuer = {"est": site.backend.by_certificate(label="peer", enrol="host")}
    site.world.settled([peer()], issuer=issuer)
    site.est.revoked.add(site.world.certificate().serial_number)
    site.asked()
    result = site.world.converge([peer(key={"type": "ecdsa-p384"})], issuer=issuer)
    assert not result.get("failed"), result.get("msg")
    assert [one.partition(" ")[0] for one in site.asked()] == ["simplereenroll", "simpleenroll"]


def test_what_is_refused_both_ways_is_asked_for_twice_and_no_more(site: Site) -> None:
    site.world.settled([peer()], issuer=site.issuer())
    site.est.broken.update(dict.fromkeys(("simpleenroll", "simplereenroll"), (400, b"not today")))
    site.asked()
    result = site.world.converge([peer(key={"type": "ecdsa-p384"})], issuer=site.issuer(), wait="2s")
    assert result["msg"] == "web: est: it refuses enrolment (not today); see its log"
    assert len(site.asked()) == 2


def test_who_began_anew_and_has_to_wait_goes_on_like_that(site: Site) -> None:
    site.world.settled([peer()], issuer=site.issuer())
    site.est.revoked.add(site.world.certificate().serial_number)
    site.est.labels["peer"].polls = 1
    site.asked()
    result = site.world.converge([peer(key={"type": "ecdsa-p384"})], issuer=site.issuer(), wait="20s")
    assert not result.get("failed"), result.get("msg")
    assert site.asked() == [BY_OWN, BY_PASSWORD, BY_PASSWORD]


def test_a_renewal_that_was_not_even_asked_for_is_not_begun_anew(site: Site) -> None:
    issuer = by_roots(site, site.est.root)
    site.world.settled([peer()], issuer=issuer)
    site.est.broken["cacerts"] = 404, b""
    phases = len(site.world.phases)
    result = site.world.converge([peer(key={"type": "ecdsa-p384"})], issuer=issuer)
    assert "there is no cacerts" in result["msg"]
    assert site.world.phases[phases:] == ["prepare", "enrol", "install"]
    assert not result.get("warnings")


# answers without what was asked for


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", ["root", "named", "stranger's root"])
def test_an_answer_of_authorities_alone_is_no_certificate_that_somebody_should_revoke(
    site: Site, way: str, what: str
) -> None:
    site.est.grants = lambda _signed: {
        "root": [site.est.authority.root],
        "named": site.est.authority.named,
        "stranger's root": [Authority().root],
    }[what]
    result = site.world.converge([peer()], issuer=site.issuer(enrol=way))
    told = "it answers that it signed, but no certificate for the key of web is in it; see its log"
    assert result["msg"] == f"est: {told}"
    assert site.world.query("SELECT state FROM generations") == [("intended",)]
    assert site.world.query("SELECT serial_number FROM x509") == []
    site.est.grants = None
    site.world.converge([peer()], issuer=site.issuer(enrol=way))
    assert site.world.query("SELECT state FROM generations ORDER BY id") == [("orphaned",), ("current",)]


@pytest.mark.parametrize("way", WAYS)
def test_a_certificate_for_another_key_is_told_by_its_number_and_nobody_is_to_revoke_it(site: Site, way: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    other = site.est.authority.sign(request, Label())
    site.est.grants = lambda _signed: [site.est.authority.root, other]
    result = site.world.converge([peer()], issuer=site.issuer(enrol=way))
    assert site.world.query("SELECT state FROM generations") == [("orphaned",)]
    (said,) = re.findall("what came has serial number ([0-9a-f:]+): find out whose it is", result["msg"])
    assert "revoke" not in result["msg"]
    assert int(said.replace(":", ""), 16) == other.serial_number


@pytest.mark.parametrize("way", WAYS)
def test_a_certificate_is_found_wherever_it_is_in_an_answer(site: Site, way: str) -> None:
    site.est.grants = lambda signed: [*site.est.authority.named, signed]
    site.world.settled([peer()], issuer=site.issuer(enrol=way))


# connections


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_ends_each_connection_without_saying_so_is_served(site: Site, way: str) -> None:
    site.est.curt = True
    site.world.settled(peers(3), issuer=site.issuer(enrol=way))
    assert len(site.est.signed) == 3


def test_a_request_that_may_have_been_signed_is_not_sent_twice(site: Site) -> None:
    with faulty.before(*site.backend.upstream) as proxy:
        proxy.fail(faulty.lose, "POST")
        site.world.converge([peer()], issuer={"est": site.backend.through(proxy.url, label="peer")})
    assert len(site.est.signed) == 1


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_was_cut_short_is_not_taken_for_a_whole_one(site: Site, way: str) -> None:
    """And what comes after it is asked on another connection."""
    with faulty.before(*site.backend.upstream) as proxy:
        issuer = {"est": site.backend.through(proxy.url, label="peer", enrol=way)}
        proxy.fail(short, "simpleenroll", times=1)
        result = site.world.converge(peers(2), issuer=issuer)
    first, second = result["identities"]
    assert "ended the call (IncompleteRead) before its answer was complete; run again later" in first["msg"]
    assert second["failed"] is False, second["msg"]


def short(handler: faulty.Handler) -> None:
    """Announce more than comes, and refuse as far as one can see."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\nContent-Length: 500\r\n\r\nno, ")
