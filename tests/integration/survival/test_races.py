# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Two controllers with one ledger run the same task on the same host at the same moment."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.sweep import LONG, run_task
from ansible_collections.keystead.identity.tests.integration.survival.health import unsafe, unwell

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Result, Scene

pytestmark = [pytest.mark.needs("root"), pytest.mark.one_core]

ROUNDS = 50 if LONG else 25
BUSY = "another run"


@pytest.fixture
def other() -> t.Iterator[ForkServer]:
    """Return a second controller."""
    with ForkServer() as server:
        yield server


def race(scene: Scene, other: ForkServer, identity: Result) -> list[Result]:
    """Run the task in two processes at once."""
    for server in (scene.server, other):
        server.start(run_task, scene.world, [identity])
    return [server.ended().value for server in (scene.server, other)]


@pytest.mark.parametrize("start", ["empty", "first"])
def test_of_two_controllers_exactly_one_issues_and_the_other_is_told_so_or_finds_it_done(
    scene: Scene, other: ForkServer, start: str
) -> None:
    identity = scene.identity("race.example.org")
    overlapped = 0
    for _round in range(ROUNDS):
        tally.point()
        scene.restore(start)
        before = len(scene.world.issued())
        results = race(scene, other, identity)
        assert list(unsafe(scene)) == []
        assert len(scene.world.issued()) == before + 1
        assert sum(result["changed"] for result in results) == 1
        refused = [result["msg"] for result in results if result.get("failed")]
        overlapped += len(refused)
        assert all(BUSY in message for message in refused), refused
        scene.settle(identity)
        assert list(unwell(scene)) == []
    print(f"{start}: {overlapped} of {ROUNDS} rounds overlapped")  # noqa: T201
    assert overlapped
