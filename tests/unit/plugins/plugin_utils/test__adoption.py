# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A ledger that was lost, replaced or restored learns what the host has, in a run that has nothing to do."""

from __future__ import annotations

import json
import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, web
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Remembered


@pytest.fixture
def world(tmp_path: Path) -> t.Iterator[World]:
    world = World(tmp_path)
    yield world
    ledger = open_ledger(world.url, read_only=True)
    assert verify(ledger) is None
    ledger.close()


def lose_ledger(world: World) -> None:
    """Lose it, and do what the message about it says."""
    for path in world.directory.glob("ledger.sqlite*"):
        path.unlink()
    (world.store / ".keystead.json").unlink()


def linked(world: World) -> dict[str, t.Any]:
    return web(links={str(world.links / "a.pem"): "fullchain"}, contact="me", keep_generations=1)


def same(found: Remembered, before: Remembered) -> bool:
    """Tell whether a ledger knows the same again, but not since when, and not what was there before."""
    forgotten: dict[str, t.Any] = {"key_since": None, "asked": None, "unproved": False}
    return found._replace(**forgotten) == before._replace(**forgotten)


def claim(world: World) -> str | None:
    marker = world.store / ".keystead.json"
    return str(json.loads(marker.read_text())["ledger"]) if marker.exists() else None


def test_it_is_claimed_and_recorded_though_nothing_is_due(world: World) -> None:
    world.converge([linked(world)], scope="shop")
    world.converge([{**linked(world), "dns_names": ["b.example.org"]}], scope="shop")
    said, before = {**linked(world), "dns_names": ["b.example.org"]}, world.remembered()
    lose_ledger(world)
    result = world.foreseen([said], scope="shop")
    assert (result["changed"], result["warnings"], result.get("failed")) == (False, [], None)
    (ledger_id,) = world.query("SELECT value FROM meta WHERE key = 'id'")[0]
    assert claim(world) == ledger_id
    assert same(world.remembered(), before)
    assert world.query("SELECT path, part FROM deliveries") == [(str(world.links / "a.pem"), "fullchain")]
    told = world.query("SELECT action, identity, reason FROM events ORDER BY seq")
    each = [(action, "web") for action in ("intend", "intend", "publish", "publish")]
    assert [event[:2] for event in told] == [*each[:2], ("rebuild", "*"), *each[2:]]
    assert told[2][2].startswith("the chain of events is broken here: what a store holds and this ledger never saw")
    world.settled([said], scope="shop")
    world.settled([web(name="kept")], scope="shop", purge=True)
    assert not world.path().exists()
    assert list(world.links.iterdir()) == []
    assert world.remembered().state == "absent"


def test_what_was_restored_from_a_backup_learns_what_came_after_it(world: World) -> None:
    world.converge([linked(world)])
    shutil.copy(world.ledger, world.directory / "backup")
    said = {**linked(world), "dns_names": ["b.example.org"]}
    world.converge([said])
    before = world.remembered()
    for path in world.directory.glob("ledger.sqlite*"):
        path.unlink()
    (world.directory / "backup").rename(world.ledger)
    world.converge([said])
    assert same(world.remembered(), before)
    assert world.query("SELECT number, state FROM generations ORDER BY number") == [(1, "superseded"), (2, "current")]
    world.settled([said])


def test_what_was_revoked_meanwhile_is_known_again_and_replaced(world: World) -> None:
    world.converge([web()])
    options = world.issuer()["local"]
    LocalIssuer(options).revoke([world.certificate().public_bytes(Encoding.DER)], "key_compromise")
    lose_ledger(world)
    world.converge([web()])
    assert reason(world.settled([web()])["identities"][0]) == "it was revoked (key_compromise)"


def test_what_its_issuer_does_not_know_is_not_believed(world: World) -> None:
    stranger = World(world.directory / "stranger")
    for one in (stranger, world):
        one.converge([web()])
    manifest = world.path("web", "1", "generation.json")
    issuer_id = json.loads(manifest.read_text())["issuer_id"]
    shutil.rmtree(manifest.parent)
    shutil.copytree(stranger.path("web", "1"), manifest.parent)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "issuer_id": issuer_id}))
    lose_ledger(world)
    result = world.converge([web()])
    assert not result["changed"]
    assert result["warnings"][0].startswith("web: its issuer does not know what the host shows")
    assert world.query("SELECT count(*) FROM identities") == [(0,)]


def test_a_genuine_certificate_for_other_names_is_not_believed(world: World) -> None:
    world.converge([web(), web(name="other", dns_names=["other.example.org"])])
    lose_ledger(world)

    def lying(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        answer = world.execute(arguments)
        mine, others = (one["observed"] for one in answer["identities"])
        mine["certificate"] = others["certificate"]
        return answer

    result = world.converge([web(), web(name="other", dns_names=["other.example.org"])], execute=lying)
    assert [warning.partition(":")[0] for warning in result["warnings"]] == ["web"]
    assert world.query("SELECT name FROM identities") == [("other",)]


def test_a_key_that_another_host_has_in_the_ledger_stays_its(world: World) -> None:
    world.converge([web(), web(name="other")])
    (world.store / ".keystead.json").unlink()
    world.host = "renamed.example.org"
    result = world.converge([web(), web(name="other")])
    assert [warning.partition(":")[0] for warning in result["warnings"]] == ["other", "web"]
    assert "as that of identity web of web1.example.org" in result["warnings"][1]
    assert (result["changed"], result.get("failed")) == (False, None)
    assert world.query("SELECT DISTINCT host FROM identities") == [("web1.example.org",)]


def test_a_directory_without_anything_of_ours_is_not_claimed(world: World) -> None:
    world.store.mkdir(mode=0o755)
    world.converge([{"name": "web", "state": "absent"}])
    assert claim(world) is None
