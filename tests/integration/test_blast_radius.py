# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""blast_radius: a key that leaked is found wherever it is, and the steps that it returns end the incident."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._options.blast_radius import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._blast_radius.answer import answer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness.brownfield import PEM
from ansible_collections.keystead.identity.tests.harness.in_process import from_now_on, web
from ansible_collections.keystead.identity.tests.harness.mesh import Node, mesh
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import batch, intent, key_of
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

Result = dict[str, t.Any]
OURS = {"service": "shop", "contact": "shop@example.org"}


@pytest.fixture
def nodes(tmp_path: Path) -> list[Node]:
    """Three hosts of one ledger and one authority."""
    return mesh(tmp_path, "web1", "web2", "web3")


def radius(node: Node, days: float = 0, **said: t.Any) -> Result:
    """Ask what is touched, so many days from now."""
    args = validated({"ledger": node.url, **said}, spec(COMMON, OPTIONS), module="blast_radius")
    return answer(args, datetime.now(UTC) + timedelta(days=days))


def copied(node: Node, to: Node, name: str = "copy") -> Result:
    """Copy the pair of a host to another one, as somebody in a hurry does, and have it adopted there."""
    for part in ("fullchain", "private_key"):
        path = to.directory / f"{part}.pem"
        path.touch(0o600)
        path.write_bytes((node.path("web", "current") / path.name).read_bytes())
    pair = {"certificate": str(to.directory / "fullchain.pem"), "private_key": str(to.directory / "private_key.pem")}
    return {"name": name, "dns_names": ["web.example.org"], "adopt": pair, **OURS}


def scan(directory: Path, **said: str) -> list[str]:
    """Return option `records` with what a scanner found on a load balancer."""
    found = {"name": "vip", "host": "lb1", "path": "/cf/vip.pem", "contact": "net@example.org", **said}
    (directory / "scan.json").write_text(json.dumps([found]), encoding="ascii")
    return [str(directory / "scan.json")]


def test_a_key_that_leaked_is_found_in_three_places_and_the_steps_end_the_incident(nodes: list[Node]) -> None:
    web1, web2, web3 = nodes
    first = web1.one(web(**OURS))
    web3.one(web(**OURS))
    adopted = copied(web1, web2)
    web2.one(adopted)
    records = scan(web1.directory, pem=web1.certificate().public_bytes(PEM).decode())
    key = {"spki_sha256": [first["certificate"]["spki_sha256"]], "records": records}

    found = radius(web1, **key)
    assert [(one["host"], one["name"], one["why"]) for one in found["affected"]] == [
        (web1.host, "web", "it is what was asked for"),
        (web2.host, "copy", "it is what was asked for"),
        ("lb1", "vip", "it is what was asked for"),
    ]
    assert radius(web1, identity=["web"], host=[web1.host], records=records)["affected"][1]["why"] == (
        f"it has the key of web on {web1.host}"
    )
    assert [step["action"] for step in found["actions"]] == ["tell", "replace", "replace", "revoke"]
    tell, *replace, revoke = found["actions"]
    assert (tell["contacts"], tell["identities"]) == (["net@example.org"], ["vip on lb1"])
    assert found["totals"] == {
        "affected": 3, "in_use": 3, "observed": 1, "settled": 0, "hosts": 3, "services": 1, "contacts": 2
    }  # fmt: skip

    moment = from_now_on()
    declared = {web1.host: (web1, web(**OURS)), web2.host: (web2, adopted)}
    for step in replace:
        node, identity = declared[step["host"]]
        assert step["identities"] == [identity["name"]]
        assert not node.one(identity, made_before=moment)["failed"]
    done = Office(web1.url, web1.issuer()).run(*revoke["certificates"], reason=revoke["reason"])
    assert not done.get("failed"), done
    after = radius(web1, **key)
    assert [one["name"] for one in after["affected"]] == ["vip"]
    assert after["totals"]["settled"] == 2


def test_what_else_is_asked_narrows_what_is_below_an_authority(nodes: list[Node]) -> None:
    web1, web2, web3 = nodes
    web1.one(web(**OURS))
    web2.one(web(**OURS))
    web3.root("other")
    web3.one(web(issuer={"local": {"directory": str(web3.authorities), "authority": "other"}}, **OURS))
    asked = {"authority": [web1.root()], "reason": "superseded"}
    now = datetime.now(UTC)
    for said, hosts in (
        ({}, {web1.host, web2.host}),
        ({"issued_before": (now + timedelta(days=1)).isoformat()}, {web1.host, web2.host}),
        ({"issued_before": (now - timedelta(days=1)).isoformat()}, set()),
        ({"host": [web2.host, web3.host]}, {web2.host}),
        ({"issuer": ["local:other"]}, set()),
    ):
        found = radius(web1, **asked, **said)
        assert {one["host"] for one in found["affected"]} == hosts, said


def test_the_key_of_an_authority_touches_whatever_was_signed_below_it(nodes: list[Node]) -> None:
    web1, web2, web3 = nodes
    two_tiers = {"local": {"directory": str(web1.directory / "two"), "authority": "issuing"}}
    local.two_tiers(web1.directory / "two")
    web1.one(web(**OURS), issuer=two_tiers)
    web2.one(web(**OURS), issuer=two_tiers)
    web3.one(web(**OURS))
    root, issuing = (
        x509.load_pem_x509_certificate((web1.directory / "two" / name / "certificate.pem").read_bytes())
        for name in ("root", "issuing")
    )
    for said, above in (
        ({"spki_sha256": [spki_sha256(issuing.public_key())]}, issuing),
        ({"authority": [issuing.public_bytes(PEM).decode()], "reason": "ca_compromise"}, issuing),
        ({"authority": [str(web1.directory / "two/root/certificate.pem")], "reason": "ca_compromise"}, root),
        ({"authority": [web1.root()], "reason": "ca_compromise"}, x509.load_pem_x509_certificate(web1.root().encode())),
    ):
        found = radius(web1, **said)["affected"]
        hosts = [web1.host, web2.host] if above in (root, issuing) else [web3.host]
        assert sorted((one["host"], one["why"]) for one in found) == [
            (host, f"{above.subject.rfc4514_string()} is above it") for host in hosts
        ]
    assert radius(web1, spki_sha256=[spki_sha256(issuing.public_key())], reason="superseded")["affected"] == []


def test_a_host_touches_what_was_ever_on_it_and_what_shares_a_key_with_that(nodes: list[Node]) -> None:
    web1, web2, _web3 = nodes
    first = web1.one(web(**OURS))
    moment = from_now_on()
    web1.one(web(**OURS), made_before=moment)
    web2.one(copied(web1, web2))
    found = radius(web1, host=[web1.host])
    told = [(one["host"], one["generation"], [act["action"] for act in one["actions"]]) for one in found["affected"]]
    assert told == [
        (web1.host, 2, ["replace", "revoke"]),
        (web2.host, 1, ["replace", "revoke"]),
        (web1.host, 1, ["revoke"]),
    ]
    unused, used = [step["certificates"] for step in found["actions"] if step["action"] == "revoke"]
    assert unused == [{"fingerprint_sha256": first["certificate"]["fingerprint_sha256"]}]
    assert used == [{"fingerprint_sha256": found["affected"][0]["certificate"]["fingerprint_sha256"]}]
    assert [step["action"] for step in found["actions"]] == ["revoke", "replace", "replace", "revoke"]
    before = radius(web1, host=[web1.host], issued_before=f"{moment:%FT%TZ}")
    after = radius(web1, host=[web1.host], issued_after=f"{moment:%FT%TZ}")
    assert [one["generation"] for one in before["affected"]] == [1]
    assert {one["generation"] for one in after["affected"] if one["host"] == web1.host} == {2}


def test_another_reason_than_a_key_stays_with_what_is_selected(nodes: list[Node]) -> None:
    web1, web2, _web3 = nodes
    web1.one(web(**OURS))
    web2.one(copied(web1, web2))
    found = radius(web1, host=[web1.host], reason="cessation_of_operation")
    assert [one["host"] for one in found["affected"]] == [web1.host]
    assert found["actions"][-1]["reason"] == "cessation_of_operation"
    subject = str(x509.load_pem_x509_certificate(web1.root().encode()).subject.rfc4514_string())
    assert len(radius(web1, issuer=[subject], reason="ca_compromise")["affected"]) == 2


def test_what_is_over_is_settled_unless_it_is_in_use(nodes: list[Node]) -> None:
    web1 = nodes[0]
    record = web1.one(web(**OURS))
    (one,) = radius(web1, identity=["web"], days=3650)["affected"]
    assert one["solution"].endswith("it has ended, and is still in use.")
    assert [act["action"] for act in one["actions"]] == ["replace"]
    assert one["exposure"]["days_left"] < 0
    office = Office(web1.url, web1.issuer())
    office.run({"fingerprint_sha256": record["certificate"]["fingerprint_sha256"]}, replaced_first=False)
    (one,) = radius(web1, identity=["web"])["affected"]
    assert one["solution"].endswith("it is revoked, and still in use.")
    web1.one({"name": "web", "state": "absent"})
    assert radius(web1, identity=["web"])["totals"] == {
        "affected": 0, "in_use": 0, "observed": 0, "settled": 1, "hosts": 0, "services": 0, "contacts": 0
    }  # fmt: skip


def test_what_was_asked_for_and_never_answered_has_to_be_looked_for(nodes: list[Node]) -> None:
    web1 = nodes[0]
    ledger = open_ledger(web1.url)
    ledger.intend(batch(), [intent(number=1)])
    ledger.close()
    (one,) = radius(web1, service=["shop"], issued_before="2090-01-01T00:00:00Z")["affected"]
    assert radius(web1, service=["shop"], issued_after="2090-01-01T00:00:00Z")["affected"] == []
    assert one["solution"].startswith("Nobody knows whether local:/srv/ca/issuing has signed it")
    (act,) = one["actions"]
    assert act["certificate"] == {"spki_sha256": key_of("web"), "orphaned": True}


def test_a_record_that_does_not_say_when_it_was_issued_may_be_of_any_time(nodes: list[Node]) -> None:
    nodes[0].one(web(**OURS))
    ends = {"spki_sha256": "ab" * 32, "not_after": "2090-01-01T00:00:00Z"}
    key = {"spki_sha256": ["ab" * 32], "records": scan(nodes[0].directory, **ends)}
    for window in ({}, {"issued_before": "2026-01-01T00:00:00Z"}, {"issued_after": "2026-01-01T00:00:00Z"}):
        assert [one["name"] for one in radius(nodes[0], **key, **window)["affected"]] == ["vip"], window


def test_nobody_who_answers_is_a_failure_that_returns_what_was_found(nodes: list[Node]) -> None:
    web1 = nodes[0]
    for number in range(7):
        web1.one({"name": f"n{number}", "dns_names": [f"n{number}.example.org"]})
    found = radius(web1, host=[web1.host])
    assert found["failed"]
    named, _more, rest = found["msg"].partition(" and 2 more; ")
    assert rest == "declare contact for each, or set contact_required: false"
    assert named.partition(" for ")[0] == "blast_radius: nobody answers"
    assert named.count(f" on {web1.host}") == 5
    assert (len(found["without_contact"]), len(found["affected"])) == (7, 7)
    assert "failed" not in radius(web1, host=[web1.host], contact_required=False)


MISTAKES: list[tuple[Result, str]] = [
    ({}, "nothing says what the incident is about; name a key"),
    ({"host": []}, "option host is empty; leave it out"),
    ({"spki_sha256": ["ab"]}, "option spki_sha256: 'ab' is no SHA-256"),
    ({"authority": ["/nowhere.pem"]}, "option authority: /nowhere.pem cannot be read on the controller"),
    ({"authority": ["web1"]}, "option authority: web1 cannot be read on the controller"),
    ({"issued_before": "yesterday"}, "option issued_before: 'yesterday' is no moment"),
    (
        {"issued_before": "2026-01-01T00:00:00Z", "issued_after": "2026-01-01T00:00:00Z"},
        "option issued_after: it is not before issued_before",
    ),
    ({"host": ["a"], "reason": "bad luck"}, "option reason: 'bad luck' is none of unspecified"),
    ({"host": ["a"], "ledger": "sqlite:////nowhere/ledger.db"}, "there is no ledger at sqlite:////nowhere/ledger.db"),
]


@pytest.mark.parametrize(("said", "expected"), MISTAKES)
def test_what_is_wrong_is_one_sentence(nodes: list[Node], said: Result, expected: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        radius(nodes[0], **said)
    assert expected in str(caught.value)
