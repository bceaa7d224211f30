# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What a run writes into the ledger, also when things went wrong."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

if t.TYPE_CHECKING:
    from pathlib import Path

EVENTS = "SELECT identity, generation, action, outcome FROM events ORDER BY seq"
STATES = "SELECT number, state FROM generations ORDER BY number"


@pytest.fixture
def world(tmp_path: Path) -> t.Iterator[World]:
    world = World(tmp_path)
    yield world
    ledger = open_ledger(world.url, read_only=True)
    assert verify(ledger) is None, "the chain of events is whole whatever happened"
    ledger.close()


def test_the_intent_is_written_before_the_act_and_every_step_after_it(world: World) -> None:
    world.converge([web(links={str(world.links / "a"): "chain"}, activate={"command": ["true"]})])
    assert world.query(EVENTS) == [
        ("web", 1, "intend", "pending"),
        ("web", 1, "issue", "ok"),
        ("web", 1, "publish", "ok"),
        ("web", 1, "link", "ok"),
        ("web", 1, "activate", "ok"),
    ]
    assert world.query("SELECT activated_at IS NOT NULL, proved_at IS NOT NULL FROM deliveries") == [(1, 0)]


def test_a_run_with_nothing_to_do_writes_nothing(world: World) -> None:
    world.converge([web()])
    before = world.query(EVENTS)
    world.converge([web()])
    assert world.query(EVENTS) == before


def test_a_renewal_supersedes_its_predecessor_and_its_deliveries(world: World) -> None:
    links = {str(world.links / "a"): "chain"}
    world.converge([web(links=links)])
    world.converge([web(links=links, dns_names=["new.example.org"])])
    assert world.query(STATES) == [(1, "superseded"), (2, "current")]
    live = world.query("SELECT succeeded_at IS NULL FROM deliveries ORDER BY generation")
    assert live == [(0,), (1,)]


def test_a_first_one_whose_activation_failed_is_current_and_its_delivery_pending(world: World) -> None:
    world.converge([web(activate={"command": ["false"]})])
    assert world.query(STATES) == [(1, "current")]
    assert world.query(EVENTS)[-1] == ("web", 1, "activate", "failed")


def test_a_killed_activation_that_then_fails_is_rolled_back_in_the_ledger_too(world: World) -> None:
    def lost(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        if arguments["phase"] == "install":
            world.execute(arguments)
            raise KeyboardInterrupt
        return world.execute(arguments)

    world.converge([web()])
    new = web(dns_names=["new.example.org"], keep_generations=1)
    with pytest.raises(KeyboardInterrupt):
        world.converge([new], execute=lost)
    assert world.query(STATES) == [(1, "current"), (2, "issued")]
    world.path("web", "pending").symlink_to("[2, 1, true]")
    result = world.converge([{**new, "activate": {"command": ["false"]}}])
    assert "rolled back to generation 1" in result["msg"]
    assert world.query(STATES) == [(1, "current"), (2, "rolled_back")]
    assert world.generations() == [1]


def test_a_host_that_does_not_answer_is_an_event(world: World) -> None:
    def broken(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        return {"failed": True, "msg": "host: gone"} if arguments["phase"] == "install" else world.execute(arguments)

    result = world.converge([web()], execute=broken)
    assert result["msg"] == "web: host: gone"
    assert world.query(EVENTS)[-1] == ("web", None, "publish", "failed") or world.query(EVENTS)[-1] == (
        "web", 1, "publish", "failed",
    )  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        {"links": True},
        {"activate": {"command": ["false"]}, "dns_names": ["new.example.org"]},
        {"state": "absent"},
    ],
)
def test_a_ledger_that_was_lost_does_not_hinder_the_host(world: World, said: dict[str, t.Any]) -> None:
    world.converge([web()])
    for path in world.directory.glob("ledger.sqlite*"):
        path.unlink()
    (world.store / ".keystead.json").unlink()
    if "links" in said:
        said = {"links": {str(world.links / "a"): "chain"}}
    result = world.converge([web(**said)])
    assert "is not in this ledger" not in result.get("msg", "")


def test_going_back_makes_the_old_one_current_again(world: World) -> None:
    world.converge([web(keep_generations=1)])
    world.converge([web(keep_generations=1, dns_names=["new.example.org"])])
    world.converge([web(keep_generations=1, generation="previous")])
    assert world.query(STATES) == [(1, "current"), (2, "superseded")]
    assert world.remembered().newest == 2


def test_a_failed_attempt_to_go_back_changes_nothing(world: World) -> None:
    said = web(keep_generations=1, dns_names=["new.example.org"])
    world.converge([web()])
    world.converge([said])
    result = world.converge([{**said, "generation": "previous", "activate": {"command": ["false"]}}])
    assert "rolled back to generation 2" in result["msg"]
    assert world.query(STATES) == [(1, "superseded"), (2, "current")]
