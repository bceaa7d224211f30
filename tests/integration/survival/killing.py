# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One sweep of kills: at every point, or every so many, kill, look, heal, and look again."""

from __future__ import annotations

import typing as t

from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.sweep import CONTROLLER, LONG, Sweep
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, unsafe, unwell

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene


class Beside(World):
    """A world with a token in it, which is not ours: SoftHSM touches its files when it only looks."""

    def snapshot(self) -> dict[str, t.Any]:
        """Return everything that a run could touch, but for the token."""
        tokens = str(self.directory / "tokens")
        return {path: facts for path, facts in super().snapshot().items() if not path.startswith(tokens)}


class Read(World):
    """A world whose ledger may be read: SQLite then makes the index of what a killed writer left anew."""

    def snapshot(self) -> dict[str, t.Any]:
        """Return everything that a run could touch, but for that index."""
        return {path: facts for path, facts in super().snapshot().items() if not path.endswith("-shm")}


def swept(scene: Scene, start: str, *names: str, parts: t.Sequence[str], every: int = 1) -> Sweep:
    """Kill each of `parts` from a start that is `empty` or has a `first` generation, where `names` make a second."""
    sweep = Sweep(scene, start, scene.identity(*names))
    before = content_of(scene.place / "current") if start == "first" else None
    issued = 1 if start == "first" else 0
    for part in parts:
        for call in sweep.recorded(part)[:: 1 if LONG else every]:
            result = sweep.broken(part, call)
            if part == CONTROLLER and result is not None:
                sweep.complain(part, call, "the controller lived on")
            for one in unsafe(scene, before):
                sweep.complain(part, call, f"after the kill, {one}")
            sweep.heal(part, call, issued, unwell)
    print(f"{start}: {sweep.tried} points, {sweep.extra} issued too many")  # noqa: T201
    return sweep
