# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The host's half is killed before every system call by which it changes anything: a first issue, and a rotation."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.sweep import NAME, Sweep
from ansible_collections.keystead.identity.tests.integration.survival.health import keys
from ansible_collections.keystead.identity.tests.integration.survival.killing import swept

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

FEWEST = 60
"""Points of each sweep; both together are more than 100."""
PHASES = ("prepare", "install")


def test_a_first_issue_killed_before_any_call_leaves_nothing_or_one_complete_pair_and_the_next_run_heals(
    scene: Scene,
) -> None:
    sweep = swept(scene, "empty", parts=PHASES)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= FEWEST
    assert sweep.extra == 0


def test_a_rotation_killed_before_any_call_leaves_the_old_pair_or_the_new_one_and_the_next_run_heals(
    scene: Scene,
) -> None:
    sweep = swept(scene, "first", "b.example.org", parts=PHASES)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= FEWEST
    assert sweep.extra == 0


def test_a_withdrawal_killed_before_any_call_is_completed_and_written_down_by_the_next_run(scene: Scene) -> None:
    sweep = Sweep(scene, "first", {"name": NAME, "state": "absent"})
    for phase in PHASES:
        for call in sweep.recorded(phase):
            sweep.broken(phase, call)
            sweep.heal(phase, call, 0, still_there)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 20


def still_there(scene: Scene) -> t.Iterator[str]:
    """Yield what is left of an identity that was withdrawn."""
    left = [*scene.world.links.iterdir(), *keys(scene)]
    left += [entry for entry in scene.place.rglob("*") if entry.name != "lease.json"]
    yield from (f"there is still {entry}" for entry in left)
    known = scene.world.remembered(NAME)
    if (known.state, known.links, known.open_intent) != ("absent", (), None):
        yield f"the ledger says {known.state}, {known.links}"
