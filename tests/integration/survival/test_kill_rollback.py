# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The host's half is killed before every system call of a rotation that its consumer refuses."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.sweep import Sweep
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, unsafe, unwell

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

LOADS = 'test "$(readlink "$1/current")" = 1 || ! test -e "$3" || exit 9; '
LOADS += 'cat "$1/current/fullchain.pem" >"$2.new" && mv "$2.new" "$2"'


def test_a_rollback_killed_before_any_call_leaves_one_complete_pair_and_the_next_runs_end_it(scene: Scene) -> None:
    """The next run meets the same refusal and is back where all began; the one after it finds a willing consumer."""
    refuses = scene.world.directory / "refuses"
    refuses.touch()
    scene.keep("refusing")
    command = ["sh", "-c", LOADS, "sh", str(scene.place), str(scene.served), str(refuses)]
    sweep = Sweep(scene, "refusing", scene.identity("b.example.org", activate={"command": command}))
    before = content_of(scene.place / "current")
    calls = sweep.recorded("install")
    for call in calls:
        sweep.broken("install", call)
        for one in unsafe(scene, before):
            sweep.complain("install", call, f"after the kill, {one}")
        refused = scene.run(sweep.identity).value
        if "rolled back to generation 1" not in refused.get("msg", ""):
            sweep.complain("install", call, f"the next run was not refused: {refused.get('msg')}")
        for one in unwell(scene):
            sweep.complain("install", call, f"after the rollback, {one}")
        if content_of(scene.place / "current") != before:
            sweep.complain("install", call, "after the rollback, the pair is another one")
        refuses.unlink()
        sweep.heal("install", call, len(scene.world.issued()), unwell)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 60
