# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The controller is killed before the system calls by which it writes to ledger and authority; the host lives on."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.sweep import LONG, Sweep
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, unsafe, unwell

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

CONTROLLER = "controller"


def swept(scene: Scene, start: str, *names: str, every: int) -> Sweep:
    """Kill the controller at every point, or every so many, look, heal, and look again."""
    sweep = Sweep(scene, start, scene.identity(*names))
    before = content_of(scene.place / "current") if start == "first" else None
    issued = 1 if start == "first" else 0
    for call in sweep.recorded(CONTROLLER)[:: 1 if LONG else every]:
        result = sweep.broken(CONTROLLER, call)
        if result is not None:
            sweep.complain(CONTROLLER, call, "the controller lived on")
        for one in unsafe(scene, before):
            sweep.complain(CONTROLLER, call, f"after the kill, {one}")
        sweep.heal(CONTROLLER, call, issued, unwell)
    print(f"{start}: {sweep.tried} points, {sweep.extra} issued too many")  # noqa: T201
    return sweep


def test_after_a_first_issue_whose_controller_was_killed_the_next_run_heals_and_issues_nothing_twice(
    scene: Scene,
) -> None:
    sweep = swept(scene, "empty", every=4)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 40
    assert sweep.extra == 0


def test_after_a_rotation_whose_controller_was_killed_the_next_run_heals_and_issues_nothing_twice(
    scene: Scene,
) -> None:
    sweep = swept(scene, "first", "b.example.org", every=2)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 40
    assert sweep.extra == 0
