# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A ledger that was lost is made again from stores and issuers' lists, and the break in its chain is recorded."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.action.ledger_rebuild import ActionModule
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._rebuilding import rebuild
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import brownfield, local
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Remembered

API = {"name": "api", "dns_names": ["api.example.org"]}


@pytest.fixture
def world(tmp_path: Path) -> t.Iterator[World]:
    world = World(tmp_path)
    world.converge([web(), API])
    yield world
    ledger = open_ledger(world.url, read_only=True)
    assert verify(ledger) is None
    ledger.close()


def lose_ledger(world: World) -> str:
    """Lose it; return its id, which the store bears."""
    for path in world.directory.glob("ledger.sqlite*"):
        path.unlink()
    return claim(world)


def claim(world: World) -> str:
    return str(json.loads((world.store / ".keystead.json").read_text())["ledger"])


def run(world: World, *, check: bool = False, execute: t.Any = None, **said: t.Any) -> dict[str, t.Any]:
    """Run the task once."""
    options = {"ledger": world.url, "store": str(world.store), "issuers": [world.issuer()], **said}
    args = validated(options, ActionModule.accepts, module="ledger_rebuild")
    way = execute or (lambda arguments: host(world, arguments))
    task = Task(world.host, "rebuild.yml", check=check, diff=False, execute=way, say=world.said.append)
    return rebuild(args, task)


def unknown(known: Remembered) -> dict[str, t.Any]:
    """Return what a lost ledger took with it: since when a key is known, and what was asked for it."""
    return {"key_since": known.key_since, "asked": known.asked}


def host(world: World, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    """Be the host, whose module has a default for what nobody says."""
    silent = dict.fromkeys(("ledger_id", "deadline", "holder", "broken"))
    return world.execute({**silent, **arguments})


def events(world: World) -> list[dict[str, t.Any]]:
    ledger = open_ledger(world.url, read_only=True)
    try:
        return queries.events(ledger)
    finally:
        ledger.close()


def test_what_a_store_holds_is_recorded_after_the_break(world: World) -> None:
    before, lost = {name: world.remembered(name) for name in ("web", "api")}, lose_ledger(world)
    foreseen = run(world, lost_ledger=lost, check=True)
    assert not world.ledger.exists()
    done = run(world, lost_ledger=lost)
    assert done == foreseen
    assert (done["changed"], done["recorded"], done["warnings"]) == (True, ["api", "web"], [])
    assert done["store"]["taken_over"]
    first, *others = events(world)
    assert (first["seq"], first["action"], first["identity"]) == (1, "rebuild", "*")
    assert first["reason"] == (
        f"the chain of events is broken here: what a store of the lost ledger {lost} holds is recorded as it was "
        "found, and not as it was made"
    )
    assert {event["action"] for event in others} == {"intend", "publish"}
    for name, known in before.items():
        assert world.remembered(name)._replace(**unknown(known)) == known


def test_a_second_time_nothing_is_recorded_and_the_break_is_not_repeated(world: World) -> None:
    lost = lose_ledger(world)
    run(world, lost_ledger=lost)
    told = events(world)
    again = run(world, lost_ledger=lost)
    assert (again["changed"], again["recorded"], again["store"]["taken_over"]) == (False, [], True)
    assert events(world) == told


def test_once_the_claim_is_given_up_the_next_run_finds_nothing_to_do(world: World) -> None:
    lost = lose_ledger(world)
    run(world, lost_ledger=lost)
    (world.store / ".keystead.json").unlink()
    world.converge([web(), API])
    assert claim(world) == world.query("SELECT value FROM meta WHERE key = 'id'")[0][0] != lost
    world.settled([web(), API])
    assert run(world)["changed"] is False


def test_a_store_of_a_ledger_that_nobody_calls_lost_is_refused_and_nothing_is_recorded(world: World) -> None:
    lost = lose_ledger(world)
    for said in ({}, {"lost_ledger": "another"}):
        with pytest.raises(Misconfigured, match=f"when that one is lost, write lost_ledger: {lost}"):
            run(world, **said)
    assert events(world) == []


def test_a_store_of_another_host_is_refused(world: World) -> None:
    world.host = "renamed.example.org"
    with pytest.raises(Misconfigured, match=r"belongs to host web1\.example\.org, not to renamed\.example\.org"):
        run(world)


def test_a_store_that_is_not_there_is_an_error_and_names_the_options(world: World) -> None:
    for check in (False, True):
        with pytest.raises(Misconfigured, match=r"/none does not exist on web1.*keystead_stores.*may_be_missing"):
            run(world, store=str(world.directory / "none"), check=check)


def test_a_store_that_cannot_be_read_is_an_error_even_where_it_may_be_missing(world: World) -> None:
    (world.directory / "file").write_text("no directory")
    with pytest.raises(Misconfigured, match="file"):
        run(world, store=str(world.directory / "file"), may_be_missing=True)


def test_a_host_that_may_have_no_store_has_nothing_to_record(world: World) -> None:
    done = run(world, store=str(world.directory / "none"), may_be_missing=True)
    assert (done["changed"], done["recorded"], done["store"]["exists"]) == (False, [], False)


def test_what_no_issuer_confirms_is_not_recorded_and_said(world: World) -> None:
    local.authority(world.authorities, "second")
    lost = lose_ledger(world)
    done = run(world, lost_ledger=lost, issuers=[world.issuer("second")])
    assert done["recorded"] == []
    assert [warning.partition(":")[0] for warning in done["warnings"]] == [
        "api is not recorded",
        "web is not recorded",
    ]
    stranger = World(world.directory / "stranger")
    stranger.converge([web()])

    def lying(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        answer = host(world, arguments)
        der = stranger.certificate().public_bytes(Encoding.DER)
        answer["identities"][1]["observed"]["certificate"] = base64.b64encode(der).decode()
        return answer

    done = run(world, lost_ledger=lost, execute=lying)
    assert done["recorded"] == ["api"]
    assert done["warnings"] == ["web is not recorded: its issuer does not confirm that it signed it"]


def test_what_was_revoked_meanwhile_is_recorded_as_revoked(world: World) -> None:
    der = world.certificate().public_bytes(Encoding.DER)
    LocalIssuer(world.issuer()["local"]).revoke([der], "key_compromise")
    run(world, lost_ledger=lose_ledger(world))
    assert [reason for _id, reason in world.remembered().revoked] == ["key_compromise"]


def test_what_an_issuer_lists_and_no_store_holds_is_an_orphan_of_the_issuer(world: World) -> None:
    issuer = LocalIssuer(world.issuer()["local"])
    (stray,) = issuer.begin([local.request()])
    (revoked,) = issuer.begin([local.request(number=1)])
    issuer.revoke([_der(revoked)], "superseded")
    lost = lose_ledger(world)
    run(world, lost_ledger=lost)
    foreseen = run(world, source="issuers", check=True)
    done = run(world, source="issuers")
    assert done == foreseen
    assert len(done["recorded"]) == 2
    place = issuer.place
    rows = world.query(
        "SELECT i.store, i.state, g.state, g.credential_id FROM generations g JOIN identities i ON i.id = g.identity"
        " WHERE i.name LIKE 'serial-%' ORDER BY g.state"
    )
    assert rows == [
        (place, "absent", "orphaned", stray.credential_id),
        (place, "absent", "revoked", revoked.credential_id),
    ]
    assert {event["action"] for event in events(world) if event["identity"].startswith("serial-")} == {
        "intend",
        "rebuild",
    }
    assert run(world, source="issuers")["changed"] is False


PLACES = (
    "SELECT i.host, i.store, i.name, i.state, g.number, g.state FROM generations g"
    " JOIN identities i ON i.id = g.identity ORDER BY i.name"
)


def test_what_was_taken_for_an_orphan_gets_its_place_when_its_store_is_read(world: World) -> None:
    before, lost = {name: world.remembered(name) for name in ("web", "api")}, lose_ledger(world)
    assert len(run(world, source="issuers")["recorded"]) == 2
    assert [row[0] for row in world.query(PLACES)] == ["", ""]
    done = run(world, lost_ledger=lost)
    assert (done["recorded"], done["warnings"]) == (["api", "web"], [])
    place = (world.host, str(world.store))
    assert world.query(PLACES) == [(*place, name, "present", 1, "current") for name in ("api", "web")]
    for name, known in before.items():
        assert world.remembered(name)._replace(**unknown(known)) == known
    (world.store / ".keystead.json").unlink()
    world.settled([web(), API])
    assert run(world, source="issuers")["changed"] is False


def test_what_was_taken_for_an_orphan_gets_its_place_from_a_run_that_declares_it(world: World) -> None:
    lose_ledger(world)
    run(world, source="issuers")
    (world.store / ".keystead.json").unlink()
    world.converge([web(), API])
    place = (world.host, str(world.store))
    assert world.query(PLACES) == [(*place, name, "present", 1, "current") for name in ("api", "web")]


def test_an_adopted_identity_is_said_to_be_recorded_by_the_run_that_declares_it_and_it_is(world: World) -> None:
    old = world.directory / "old"
    brownfield.pair("old.example.org").write(old)
    adopt = {"private_key": str(old / "web.key"), "certificate": str(old / "fullchain.pem")}
    said = {"name": "old", "dns_names": ["old.example.org"], "adopt": adopt}
    world.converge([web(), API, said])
    lost = lose_ledger(world)
    done = run(world, lost_ledger=lost)
    assert done["recorded"] == ["api", "web"]
    (warning,) = done["warnings"]
    assert warning.startswith("old is not recorded: it was adopted, so no issuer here can confirm it")
    assert warning.endswith("the next run on web1.example.org that declares old with adopt records it")
    (world.store / ".keystead.json").unlink()
    world.converge([web(), API, said])
    assert world.remembered("old").state == "present"


def _der(generation: t.Any) -> bytes:
    from ansible_collections.keystead.identity.plugins.module_utils._core import pki

    return pki.der_certificates(generation.parts["certificate"].content)[0]


def test_what_a_host_says_that_cannot_be_is_a_warning_and_its_siblings_are_recorded(world: World) -> None:
    lost = lose_ledger(world)

    def lying(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        answer = host(world, arguments)
        first, second = answer["identities"]
        first["observed"]["certificate"] = "bm90IGEgY2VydGlmaWNhdGU="
        return {**answer, "identities": [first, second, {**second, "name": "../etc"}]}

    done = run(world, lost_ledger=lost, execute=lying)
    assert done["recorded"] == ["web"]
    assert sorted(warning.split(" ")[0] for warning in done["warnings"]) == ["../etc", "api"]
