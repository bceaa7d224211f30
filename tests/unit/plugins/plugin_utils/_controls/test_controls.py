# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One breach turns exactly the control that it is of; without evidence, a control says that there is none."""

from __future__ import annotations

import json
import sqlite3
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options import identity_policy as options
from ansible_collections.keystead.identity.plugins.plugin_utils._controls.frameworks import FRAMEWORKS
from ansible_collections.keystead.identity.plugins.plugin_utils._controls.queries import QUERIES
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.rules import RULES
from ansible_collections.keystead.identity.tests.harness.controls import (
    NEW,
    PUBLIC,
    ahead,
    asked,
    audited,
    checkpoint,
    record,
    shipped,
)
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.one_core

CONTROLS = [(name, one.number) for name, framework in FRAMEWORKS.items() for one in framework.controls]
PLANTED: dict[str, list[dict[str, t.Any]]] = {
    "complete": [record("a", issuer="", key_type="")],
    "answered_for": [record("a", contact="")],
    "in_time": [record("a", not_before=ahead(-40), not_after=ahead(-1))],
    "strong_keys": [record("a", key_type="rsa-1024")],
    "one_place": [record("a", spki_sha256="aa" * 32), record("b", spki_sha256="aa" * 32)],
    "narrow": [record("a", dns_names=["*.example.org"])],
    "public_life": [record("a", not_after=ahead(500))],
    "cnsa_signatures": [{**NEW, "name": "a", "key_type": "ecdsa-p384"}],
}
ALTERED = {
    "not_revoked": "UPDATE generations SET revoked_at = '2026-01-01T00:00:00.000Z', revocation_reason = 'superseded'",
    "recorded": "UPDATE events SET reason = 'it was ever so' WHERE seq = 1",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world in which every control has evidence, and none is breached."""
    return audited(tmp_path / "world")


def states(world: World, *entries: dict[str, t.Any], **said: t.Any) -> dict[tuple[str, str], str]:
    """Return how each control stands."""
    found = asked(world, [NEW, *entries], **said)["controls"]
    return {(one["framework"], one["control"]): one["state"] for one in found}


def alter(world: World, statement: str) -> None:
    """Change the ledger behind our backs."""
    with sqlite3.connect(world.ledger) as connection:
        assert connection.execute(statement).rowcount
    connection.close()


def of_query(name: str) -> list[tuple[str, str]]:
    """Return the controls that a query belongs to."""
    controls = [(key, one) for key, framework in FRAMEWORKS.items() for one in framework.controls]
    return [(key, one.number) for key, one in controls if name in one.queries]


def test_the_map_names_queries_and_rules_that_there_are_each_once_in_a_framework() -> None:
    assert tuple(FRAMEWORKS) == options.FRAMEWORKS
    assert set(PLANTED) | set(ALTERED) == set(QUERIES), "for each query, a breach is planted below"
    for framework in FRAMEWORKS.values():
        queries = [name for one in framework.controls for name in one.queries]
        rules = [name for one in framework.controls for name in one.rules]
        assert len(queries) == len(set(queries))
        assert len(rules) == len(set(rules))
        assert set(queries) <= set(QUERIES)
        assert set(rules) <= set(RULES)
        assert {one.checked for one in framework.controls} <= {"primary", "secondary"}
    assert all(of_query(name) for name in QUERIES)


def test_where_nothing_is_wrong_every_control_is_met(world: World) -> None:
    assert states(world) == dict.fromkeys(CONTROLS, "met")


@pytest.mark.parametrize("query", PLANTED)
def test_a_breach_turns_exactly_the_control_of_each_framework_that_it_is_of(world: World, query: str) -> None:
    turned = {one for one, state in states(world, *PLANTED[query]).items() if state != "met"}
    assert turned == set(of_query(query))
    assert {state for one, state in states(world, *PLANTED[query]).items() if one in turned} == {"breached"}


@pytest.mark.parametrize("query", ALTERED)
def test_so_does_one_in_the_ledger_itself(world: World, query: str) -> None:
    alter(world, ALTERED[query])
    assert {one for one, state in states(world).items() if state == "breached"} == set(of_query(query))
    assert "met" in states(world).values()


@pytest.mark.parametrize(
    ("rule", "framework", "number"),
    [
        ({"key_type": {"allow": ["ml-dsa-87"]}}, "pci_dss", "12.3.3"),
        ({"contact": {"like": ["you"]}}, "soc2", "CC1.5"),
        ({"names": {"dns_names": ["*.example.net"]}}, "iso_27001", "8.9"),
        ({"lifetime": {"longest": "1d"}}, "nis2", "9.2(c)(xii)"),
        ({"custody": {"allow": ["pkcs11"]}}, "soc2", "CC6.1"),
    ],
)
def test_a_breach_of_a_rule_turns_the_control_that_the_rule_belongs_to(
    world: World, tmp_path: Path, rule: dict[str, t.Any], framework: str, number: str
) -> None:
    path = tmp_path / "policy.yml"
    path.write_text(json.dumps({"format": 1, "rules": [{"id": "ours", **rule}]}))
    found = states(world, policy=str(path), frameworks=[framework])
    assert {one for one, state in found.items() if state != "met"} == {(framework, number)}


@pytest.mark.parametrize(
    ("rule", "waived", "expected"),
    [
        ({}, True, ("warn", "waived until 2090-01-01 by ciso")),
        ({"severity": "warn"}, False, ("warn", "it only warns")),
        ({"enforce_from": "2090-01-01"}, False, ("later", "enforced from 2090-01-01")),
    ],
)
def test_a_breach_that_is_not_enforced_is_told_and_turns_nothing(
    world: World, tmp_path: Path, rule: dict[str, t.Any], *, waived: bool, expected: tuple[str, str]
) -> None:
    waivers = [{"rule": "ours", "contact": "ciso", "until": "2090-01-01"}] if waived else []
    path = tmp_path / "policy.yml"
    rules = [{"id": "ours", "key_type": {"allow": ["ml-dsa-87"]}, **rule}]
    path.write_text(json.dumps({"format": 1, "rules": rules, "waivers": waivers}))
    found = {one["control"]: one for one in asked(world, policy=str(path), frameworks=["pci_dss"])["controls"]}
    told = found.pop("12.3.3")
    assert (told["state"], told["breaches"], told["total"], told["total_not_enforced"]) == ("met", [], 0, 1)
    (one,) = told["not_enforced"]
    assert (one["name"], one["severity"]) == ("web", expected[0])
    assert one["msg"].startswith("rule ours: ")
    assert one["msg"].endswith(f"({expected[1]})")
    assert told["msg"] == (
        f"nothing of 2 pieces of evidence is a breach that is enforced; 1 is not, the first: {one['msg']}"
    )
    assert {(other["total_not_enforced"], other["state"]) for other in found.values()} == {(0, "met")}


def test_a_control_says_which_of_its_rules_cannot_tell(world: World, tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    rules = [{"id": "ours", "key_type": {"allow": ["ml-dsa-87"]}, "only": {"groups": ["web"]}}]
    path.write_text(json.dumps({"format": 1, "rules": rules}))
    found = {one["control"]: one for one in asked(world, policy=str(path), frameworks=["pci_dss"])["controls"]}
    told = found.pop("12.3.3")
    ((rule, number),) = [(one["rule"], one["total"]) for one in told["not_judged"]]
    assert (rule, number, told["state"]) == ("ours", 1, "met")
    assert "; 1 of its rules cannot tell, the first: rule ours asks for " in told["msg"]
    assert [other["not_judged"] for other in found.values()] == [[]] * len(found)


def lives(world: World, *entries: dict[str, t.Any]) -> tuple[str, int]:
    """Return how the control stands that is about the life of what is publicly trusted, and its evidence."""
    said = {"frameworks": ["baseline_requirements"], "public_issuers": [PUBLIC]}
    (found,) = (one for one in asked(world, entries, **said)["controls"] if one["control"] == "6.3.2")
    return found["state"], found["evidence"]


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ("2026-03-15", "2036-03-15", ("breached", 1)),
        ("2026-03-14", "2036-03-14", ("breached", 1)),
        ("2026-03-14", "2027-04-16", ("met", 1)),
        ("2026-03-14", "2027-04-17", ("breached", 1)),
        ("2019-01-01", "2036-03-14", ("none", 0)),
    ],
)
def test_a_life_is_judged_by_what_was_permitted_when_it_began_or_is_no_evidence(
    world: World, begins: str, ends: str, expected: tuple[str, int]
) -> None:
    entry = record("a", not_before=f"{begins}T00:00:00Z", not_after=f"{ends}T00:00:00Z")
    assert lives(world, entry) == expected


@pytest.mark.parametrize(("seconds", "state"), [(-1, "met"), (0, "breached"), (3300, "breached")])
def test_the_life_of_a_certificate_is_counted_to_its_last_second(world: World, seconds: int, state: str) -> None:
    begins = datetime(2026, 4, 1, tzinfo=UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Public CA")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + timedelta(200, seconds))
    pem = built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    assert lives(world, {"name": "a", "pem": pem}) == (state, 1)


def test_without_anything_in_use_no_control_has_evidence_but_the_record_has(world: World) -> None:
    found = states(world, service="nobody")
    of_record = set(of_query("recorded"))
    assert {one for one, state in found.items() if state == "met"} == of_record
    assert {state for one, state in found.items() if one not in of_record} == {"none"}


REMOVED: dict[str, Callable[[World], dict[tuple[str, str], str]]] = {
    "recorded": lambda world: (alter(world, "DELETE FROM checkpoints"), states(world))[1],
    "cnsa_signatures": lambda world: {
        (one["framework"], one["control"]): one["state"] for one in asked(world, [])["controls"]
    },
}


@pytest.mark.parametrize("query", REMOVED)
def test_without_its_evidence_exactly_that_control_says_none(world: World, query: str) -> None:
    found = REMOVED[query](world)
    assert {one for one, state in found.items() if state == "none"} == set(of_query(query))
    assert {state for one, state in found.items() if one not in of_query(query)} == {"met"}


def test_where_nothing_is_publicly_trusted_the_baseline_requirements_have_no_evidence(world: World) -> None:
    found = states(world, public_issuers=["nobody"])
    assert {one for one, state in found.items() if state == "none"} == {
        one for one in CONTROLS if one[0] == "baseline_requirements"
    }


def recorded(world: World, **said: t.Any) -> tuple[str, int]:
    """Return how the control stands that is about the record, and of how many pieces of evidence."""
    (found,) = (one for one in asked(world, frameworks=["pci_dss"], **said)["controls"] if one["control"] == "10.3.4")
    return found["state"], found["evidence"]


def test_the_record_is_evidence_up_to_the_last_checkpoint_of_somebody_who_is_believed(
    world: World, tmp_path: Path
) -> None:
    ((events,),) = world.query("SELECT max(seq) FROM events")
    world.converge([web(contact="me"), {**web(contact="me"), "name": "api", "dns_names": ["api.example.org"]}])
    assert recorded(world) == ("met", events)
    checkpoint(world, tmp_path / "other.key")
    assert recorded(world) == ("met", events), "anybody can sign what follows"
    assert recorded(world, public_keys=None) == ("none", 0), "nobody said who is believed"
    alter(world, "UPDATE events SET reason = 'it was ever so' WHERE seq = 1")
    assert recorded(world, public_keys=None) == ("breached", 0)


def test_a_record_that_was_cut_and_signed_by_anybody_is_no_evidence_and_a_breach_by_what_was_shipped(
    world: World, tmp_path: Path
) -> None:
    assert recorded(world, checkpoints=[str(shipped(world))])[0] == "met"
    alter(world, "DELETE FROM checkpoints")
    alter(world, "DELETE FROM events WHERE batch = (SELECT max(batch) FROM heads)")
    alter(world, "DELETE FROM heads WHERE batch = (SELECT max(batch) FROM heads)")
    checkpoint(world, tmp_path / "other.key")
    assert recorded(world) == ("none", 0)
    assert recorded(world, checkpoints=[str(shipped(world))])[0] == "breached"


def test_which_checkpoints_are_believed_is_said_as_identity_audit_says_it(world: World, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("x")
    for said, expected in (
        ({"public_keys": [str(wrong)]}, "identity_policy: option public_keys: .*wrong.pem is no public key in PEM"),
        ({"checkpoints": ["/nowhere"]}, "identity_policy: option checkpoints: /nowhere is no file that is there"),
        ({"checkpoints": [str(wrong)]}, "identity_policy: .*wrong.pem holds no checkpoint that can be believed"),
    ):
        with pytest.raises(Misconfigured, match=expected):
            asked(world, **said)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"as_of": "2090-01-01", "evidence": {}}, "option evidence is about what is there now; leave as_of out"),
        ({"certificates": ["/etc/x.pem"]}, "options frameworks and evidence are about the ledger"),
    ],
)
def test_what_cannot_be_evidence_is_refused(
    world: World, tmp_path: Path, said: dict[str, t.Any], expected: str
) -> None:
    place = {"directory": str(tmp_path / "evidence"), "key": {"file": {"path": str(tmp_path / "evidence.key")}}}
    with pytest.raises(Misconfigured, match=expected):
        asked(world, **{**said, **({"evidence": place} if "evidence" in said else {})})
