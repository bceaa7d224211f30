# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Activation, proof, roll back and what stays pending, with real commands and real TLS servers."""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.consumers import TlsServer
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Consumer:
    """A TLS server on the identity `web`, told to reload by a command that leaves a mark, as a real one is."""

    def __init__(self, world: World) -> None:
        self.world, self.mark, self.port = world, world.directory / "mark", 0
        self.refuses = world.directory / "refuses"
        self.pair = (
            str(world.path("web", "current", "fullchain.pem")),
            str(world.path("web", "current", "private_key.pem")),
        )
        self.script = world.directory / "reload"
        self.script.write_text(
            f"#!/bin/sh\necho . >> {self.mark}\n! test -e {self.refuses} || {{ echo out of order; exit 3; }}\n"
        )
        self.script.chmod(0o755)

    @property
    def told(self) -> int:
        return self.mark.read_text().count(".") if self.mark.exists() else 0

    def said(self, **said: t.Any) -> dict[str, t.Any]:
        return web(activate={"command": [str(self.script)]}, **said)


@pytest.fixture
def consumer(world: World) -> Consumer:
    return Consumer(world)


def proof(script: Path, content: str) -> dict[str, t.Any]:
    """Return a proof by a command; it is tried again until its time is over."""
    script.write_text(f"#!/bin/sh\n{content}\n")
    script.chmod(0o755)
    return {"command": [str(script)], "timeout": "1s"}


def names(world: World) -> str:
    return world.path("web", "current", "certificate.pem").read_text()


def test_a_consumer_is_told_once_for_all_that_share_it(world: World, consumer: Consumer) -> None:
    world.settled([consumer.said(name=f"web{number}") for number in range(3)])
    assert consumer.told == 1


def test_a_handshake_proves_what_is_served(world: World, consumer: Consumer) -> None:
    world.converge([web(ip_addresses=["127.0.0.1"])])
    with TlsServer(consumer.pair) as server:
        said = consumer.said(
            ip_addresses=["127.0.0.1"], prove={"host": "127.0.0.1", "port": server.port, "when": "always"}
        )
        world.settled([said])
        world.converge([web(name="other")])
        server.load((str(world.path("other", "1", "fullchain.pem")), str(world.path("other", "1", "private_key.pem"))))
        done = world.foreseen([{**said, "prove": {**said["prove"], "timeout": "1s"}}])["identities"][0]
        assert steps(done) == ["activate", "prove"]
        assert done["failed"]
        assert "serves another key" in reason(done, "prove")
        server.load(consumer.pair)
        world.settled([said])


def test_an_activation_that_fails_goes_back_to_the_old_pair(world: World, consumer: Consumer) -> None:
    world.settled([consumer.said()])
    old = names(world)
    consumer.refuses.touch()
    result = world.foreseen([consumer.said(dns_names=["new.example.org"])])
    done = result["identities"][0]
    assert steps(done)[-1] == "roll_back"
    assert "exited with 3: out of order; rolled back to generation 1" in result["msg"]
    assert "could not be activated either" in result["msg"]
    assert (names(world), world.generations()) == (old, [1])
    assert consumer.told == 3


def test_a_proof_that_fails_goes_back_and_the_new_key_is_destroyed(world: World, consumer: Consumer) -> None:
    good = consumer.said(prove=proof(world.directory / "prove", "true"))
    world.settled([good])
    old = names(world)
    bad = {
        **good,
        "dns_names": ["new.example.org"],
        "prove": proof(world.directory / "no", "echo not this one; exit 1"),
    }
    result = world.converge([bad])
    assert "not this one; rolled back to generation 1" in result["msg"]
    assert (names(world), world.generations()) == (old, [1])
    assert not world.path("web", "next").exists()
    assert not world.path("web", "pending").is_symlink()
    assert consumer.told == 3
    known = world.remembered()
    assert (known.generation, known.newest, known.open_intent) == (1, 2, None)
    assert world.query("SELECT number, state FROM generations ORDER BY number") == [(1, "current"), (2, "rolled_back")]
    world.settled([good])


def test_all_of_one_activation_go_back_together(world: World, consumer: Consumer) -> None:
    one, two = consumer.said(name="one"), consumer.said(name="two")
    apart = web(name="apart")
    world.settled([one, two, apart])
    two["prove"] = proof(world.directory / "no", "exit 1")
    result = world.converge([{**said, "dns_names": ["new.example.org"]} for said in (one, two, apart)])
    assert [record["failed"] for record in result["identities"]] == [True, True, False]
    assert [world.generations(name) for name in ("one", "two", "apart")] == [[1], [1], [2]]
    assert reason(result["identities"][0], "roll_back") == "back to generation 1: it shares a consumer with two"
    assert reason(result["identities"][1], "roll_back") == "back to generation 1: activation or proof failed"
    assert consumer.told == 3
    world.settled([one, {**two, "prove": None}, {**apart, "dns_names": ["new.example.org"]}])


def test_when_the_old_one_cannot_be_activated_either_the_next_run_tries_again(world: World, consumer: Consumer) -> None:
    world.settled([consumer.said()])
    consumer.refuses.touch()
    result = world.converge([consumer.said(dns_names=["new.example.org"])])
    assert "which could not be activated either" in result["msg"]
    assert world.path("web", "pending").is_symlink()
    consumer.refuses.unlink()
    done = world.settled([consumer.said()])["identities"][0]
    assert steps(done) == ["activate"]
    assert reason(done, "activate") == "generation 1 is in place, but its consumer was not told or not proved"


def test_an_activation_that_hangs_is_killed_and_rolled_back(world: World) -> None:
    def impatient(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        arguments["identities"][0]["identity"]["activate"]["timeout"] = 0.3
        return world.execute(arguments)

    world.settled([web()])
    said = web(dns_names=["new.example.org"], activate={"command": ["sleep", "60"]})
    result = world.converge([said], execute=impatient)
    assert "sleep did not end within" in result["msg"]
    assert "rolled back to generation 1" in result["msg"]
    assert world.generations() == [1]


def test_the_very_first_one_stays_when_its_activation_fails_and_is_pending(world: World, consumer: Consumer) -> None:
    consumer.refuses.touch()
    result = world.foreseen([consumer.said()])
    assert "out of order" in result["msg"]
    assert "rolled back" not in result["msg"]
    assert json.loads(str(world.path("web", "pending").readlink()))[0] == 1
    assert world.remembered().generation == 1
    consumer.refuses.unlink()
    done = world.settled([consumer.said()])["identities"][0]
    assert steps(done) == ["activate"]
    assert len(world.issued()) == 1


def test_a_consumer_that_does_not_run_is_skipped_with_its_proof_and_nothing_is_pending(world: World) -> None:
    said = web(activate={"command": ["false"], "only_if": ["false"]}, prove=proof(world.directory / "no", "exit 1"))
    done = world.settled([said])["identities"][0]
    assert "so nothing was activated" in done["msg"]
    assert not world.path("web", "pending").is_symlink()
    assert world.query("SELECT activated_at, proved_at FROM deliveries") == []
    events = world.query("SELECT action FROM events WHERE action IN ('activate', 'prove')")
    assert events == [("activate",)]


def test_a_skipped_activation_is_no_change(world: World) -> None:
    prove = {**proof(world.directory / "no", "exit 1"), "when": "always"}
    said = web(activate={"command": ["false"], "only_if": ["false"]}, prove=prove)
    world.converge([said])
    again = world.converge([said])
    assert (again["changed"], again.get("failed", False)) == (False, False)
    assert "so nothing was activated" in again["identities"][0]["msg"]


def test_a_link_whose_activation_failed_is_told_again_by_the_next_run(world: World, consumer: Consumer) -> None:
    link = world.links / "a.pem"
    world.settled([consumer.said()])
    consumer.refuses.touch()
    assert "out of order" in world.converge([consumer.said(links={str(link): "fullchain"})])["msg"]
    consumer.refuses.unlink()
    done = world.settled([consumer.said(links={str(link): "fullchain"})])["identities"][0]
    assert steps(done) == ["activate"]


def test_going_back_by_declaration_that_fails_stays_with_the_newest(world: World, consumer: Consumer) -> None:
    said = consumer.said(keep_generations=1)
    world.settled([{**said, "dns_names": ["old.example.org"]}])
    world.settled([said])
    bad = {**said, "generation": "previous", "prove": proof(world.directory / "no", "exit 1")}
    result = world.converge([bad])
    assert "rolled back to generation 2" in result["msg"]
    assert (world.current(), world.generations()) == (2, [1, 2])
    assert world.remembered().generation == 2
    world.settled([said])


def test_a_consumer_that_writes_garbage_is_reported_in_one_printable_line(world: World) -> None:
    said = web(activate={"command": ["sh", "-c", r"printf '\033[31mred\377\n\n{{ 7*7 }}\n'; exit 1"]})
    result = world.converge([said])
    assert "{{ 7*7 }}" in result["msg"]
    assert result["msg"].isprintable()


def test_what_a_killed_run_staged_is_used_by_the_next(world: World) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        world.converge([web()], execute=killed_at(world, "install"))
    staged = world.path("web", "next", "private_key.pem").read_bytes()
    world.settled([web()])
    assert world.path("web", "1", "private_key.pem").read_bytes() == staged
    assert world.generations() == [1]


def killed_at(world: World, phase: str) -> t.Callable[[dict[str, t.Any]], dict[str, t.Any]]:
    def execute(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        if arguments["phase"] == phase:
            raise KeyboardInterrupt
        return world.execute(arguments)

    return execute


def test_a_proof_without_activation_is_asked_at_once(world: World) -> None:
    world.settled([web(prove=proof(world.directory / "yes", "true"))])
    assert world.query("SELECT action, outcome FROM events WHERE action = 'prove'") == [("prove", "ok")]
