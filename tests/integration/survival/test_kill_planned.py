# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A run with a plan is killed: the next run with the same plan finishes it, and does nothing that is not in it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.faults import Ended, ForkServer, Trace
from ansible_collections.keystead.identity.tests.harness.sweep import (
    CONTROLLER,
    Result,
    Scene,
    Traces,
    directory,
    run_task,
)
from ansible_collections.keystead.identity.tests.integration.survival.killing import Read, swept

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]


class Planned(Scene):
    """A scene whose runs have a plan."""

    def __post_init__(self) -> None:
        """Make an authority and an empty host."""
        super().__post_init__()
        self.world = Read(self.world.directory)

    def run(self, identity: Result, traces: Traces | None = None, trace: Trace | None = None) -> Ended:
        """Run the task as it was planned."""
        options = {"plan": str(self.world.directory / "plan.json")}
        return self.server.run(run_task, self.world, [identity], traces, None, options, trace=trace)

    def plan(self, identity: Result) -> None:
        """Write the plan."""
        options = {"plan": str(self.world.directory / "plan.json"), "check": True}
        ended = self.server.run(run_task, self.world, [identity], None, None, options)
        assert not ended.error, ended.error
        assert not ended.value.get("failed"), ended.value["msg"]


@pytest.fixture
def scene() -> t.Iterator[Planned]:
    """Return a host with a first generation and a plan for the second (kept as `first`)."""
    with directory() as base, ForkServer() as server:
        made = Planned(base, server)
        first = Scene(base, server)
        first.settle(first.identity())
        made.plan(made.identity("b.example.org"))
        made.keep("first")
        yield made


@pytest.mark.parametrize("part", [CONTROLLER, "install"])
def test_after_a_planned_rotation_that_was_killed_the_next_run_with_the_plan_finishes_it(
    scene: Planned, part: str
) -> None:
    sweep = swept(scene, "first", "b.example.org", parts=[part], every=4)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 10
    assert sweep.extra == 0
