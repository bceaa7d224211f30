# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What key_rotate does with a key by itself in every backend, over the real thing: one active key, at every moment."""

from __future__ import annotations

import itertools
import signal
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._key_rotate.registry import BACKENDS
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.rotation_desk import Desk, actions, killed, states
from ansible_collections.keystead.identity.tests.harness.rotations import BENCHES, Bench

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_numbers = itertools.count(1)
pytestmark = pytest.mark.usefixtures("reached")
ROTATION = ["stage_key", "prove", "activate"]


@pytest.fixture
def name() -> str:
    return f"signing{next(_numbers)}"


@pytest.fixture
def desk(bench: Bench, tmp_path: Path, name: str) -> Desk:
    return Desk(tmp_path / "ledger.sqlite", bench.first(name), bench.environment)


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with ForkServer() as started:
        yield started


def leaked(desk: Desk) -> dict[str, t.Any]:
    """Return what a task says after an incident: all keys from before now are to be replaced."""
    return {"task": {"max_age": None, "created_before": desk.moment()}}


def test_every_backend_is_in_the_suite() -> None:
    assert {one.name for one in BENCHES} == set(BACKENDS)


def test_a_young_key_is_recorded_and_stays(bench: Bench, desk: Desk, name: str) -> None:
    done = desk.settled()
    assert (actions(done), states(done)) == (["adopt"], {1: "active"})
    assert (done["type"], done["name"].endswith(name), done["findings"]) == ("ecdsa-p256", True, [])
    assert done["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert bench.alive(name) == 1


def test_a_key_from_before_a_moment_is_replaced_once_and_the_old_one_stays(
    bench: Bench, desk: Desk, name: str
) -> None:
    before = desk.settled()
    said = leaked(desk)
    done = desk.settled(**said)
    assert (actions(done), states(done)) == (ROTATION, {1: "tainted", 2: "active"})
    assert done["public_key"] != before["public_key"]
    assert done["uri"] != before["uri"]
    assert [one["code"] for one in done["findings"]] == ["tainted"]
    assert "no grace is declared" in done["findings"][0]["msg"]
    desk.later(days=80)
    desk.settled(**said)
    assert bench.alive(name) == 2
    assert [outcome for _action, _number, outcome in desk.events()].count("failed") == 0


def test_a_key_that_reached_its_age_is_replaced_and_the_next_one_in_its_time(
    bench: Bench, desk: Desk, name: str
) -> None:
    desk.settled()
    desk.later(days=91)
    assert states(desk.settled()) == {1: "tainted", 2: "active"}
    desk.later(days=89)
    assert actions(desk.settled()) == []
    desk.later(days=2)
    assert states(desk.settled()) == {1: "tainted", 2: "tainted", 3: "active"}
    assert bench.alive(name) == 3


def test_what_was_replaced_is_destroyed_after_its_grace_and_not_before(bench: Bench, desk: Desk, name: str) -> None:
    desk.settled()
    desk.later(days=91)
    assert actions(desk.settled(grace="30d")) == ROTATION
    desk.later(days=29)
    waits = desk.settled(grace="30d")
    assert (actions(waits), waits["findings"], bench.alive(name)) == ([], [], 2)
    desk.later(days=2)
    desk.ends(grace="30d")
    done = desk.settled(grace="30d")
    assert (actions(done), states(done)) == (["destroy"], {1: "revoked", 2: "active"})
    assert bench.alive(name) == 1
    desk.later(days=91)
    assert states(desk.settled(grace="30d")) == {1: "revoked", 2: "tainted", 3: "active"}


def test_a_key_that_somebody_destroyed_leaves_the_ledger(bench: Bench, desk: Desk, name: str) -> None:
    missing = Desk(desk.ledger, {one: {**said, **_other(one)} for one, said in desk.custody.items()}, desk.environment)
    record = missing.run()
    assert record["failed"]
    assert "make one first" in record["msg"]
    assert bench.alive(name) == 1


def _other(backend: str) -> dict[str, str]:
    return {"pkcs11": {"label": "nobody"}, "openbao_transit": {"name": "nobody"}, "aws_kms": {"alias": "alias/nobody"}}[
        backend
    ]


def test_a_new_key_waits_for_its_overlap_where_the_backend_lets_it(bench: Bench, desk: Desk, name: str) -> None:
    desk.settled()
    if not bench.prepares:
        with pytest.raises(Exception, match="uses a new version as soon as there is one"):
            desk.run(overlap="1d")
        return
    desk.later(days=88)
    assert actions(desk.settled(overlap="1d")) == []
    desk.later(days=1, hours=1)
    prepared = desk.settled(overlap="1d")
    assert (actions(prepared), states(prepared)) == (["stage_key", "prove"], {1: "active", 2: "prepared"})
    shown = prepared["generations"][1]
    assert shown["until"] > shown["since"]
    assert shown["public_key"] != prepared["public_key"]
    desk.later(hours=23)
    assert actions(desk.settled(overlap="1d")) == []
    desk.later(hours=2)
    done = desk.settled(overlap="1d")
    assert (actions(done), states(done)) == (["prove", "activate"], {1: "tainted", 2: "active"})
    assert done["public_key"] == shown["public_key"]
    assert bench.alive(name) == 2


def test_what_waits_since_before_the_moment_is_not_used(bench: Bench, desk: Desk, name: str) -> None:
    if not bench.prepares:
        assert not desk.run()["failed"]
        return
    desk.settled()
    desk.later(days=89, hours=1)
    waited = desk.settled(overlap="1d")["generations"][1]
    done = desk.settled(**leaked(desk))
    assert (actions(done), states(done)) == (["destroy", *ROTATION], {1: "tainted", 2: "active"})
    assert done["public_key"] != waited["public_key"]
    assert bench.alive(name) == 2


def test_a_ledger_that_cannot_be_written_lets_nothing_happen(
    bench: Bench, desk: Desk, name: str, tmp_path: Path
) -> None:
    with pytest.raises(Exception, match=r"ledger: "):
        desk.run(task={"ledger": f"sqlite:///{tmp_path}/nowhere/ledger.db"})
    assert bench.alive(name) == 1


def test_a_run_that_is_killed_between_any_two_steps_is_finished_by_the_next(
    bench: Bench, tmp_path: Path, server: ForkServer
) -> None:
    cut = 0
    for number in itertools.count(1):
        name = f"killed{next(_numbers)}"
        desk = Desk(tmp_path / f"{number}.sqlite", bench.first(name), bench.environment)
        desk.run()
        said = leaked(desk)
        ended = server.run(killed, desk, number, said)
        if ended.signal != signal.SIGKILL:
            assert ended.value == "done", (ended.error, ended.value)
            break
        cut += 1
        seen = states(desk.run(check=True, **said))
        assert list(seen.values()).count("active") == 1, (number, seen)
        done = desk.settled(**said)
        assert states(done) == {1: "tainted", 2: "active"}, (number, done)
        assert bench.alive(name) == 2, number
    assert cut >= 12, "the run was hardly ever cut"


def test_a_destruction_that_is_killed_is_finished_by_the_next_run(
    bench: Bench, tmp_path: Path, server: ForkServer
) -> None:
    cut = 0
    for number in itertools.count(1):
        name = f"ended{next(_numbers)}"
        desk = Desk(tmp_path / f"{number}.sqlite", bench.first(name), bench.environment)
        desk.run()
        desk.later(days=91)
        desk.run()
        desk.later(days=2)
        desk.ends(grace="1d")
        ended = server.run(killed, desk, number, {"grace": "1d"})
        if ended.signal != signal.SIGKILL:
            assert ended.value == "done", (ended.error, ended.value)
            break
        cut += 1
        assert states(desk.settled(grace="1d")) == {1: "revoked", 2: "active"}, number
        assert bench.alive(name) == 1
    assert cut >= 4, "the run was hardly ever cut"
