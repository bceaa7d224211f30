# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Rounds of runs that alternate, so that whatever else the machine does falls on all of them."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from .scenarios import MANY, RIVALS, SCENARIOS, Duel, Fleet, Scenario, Work

if t.TYPE_CHECKING:
    from .ground import Ground
    from .runner import Run

Progress = t.Callable[[str], None]


class Pair(t.NamedTuple):
    """A run, and the ping that ran just before it."""

    ping: Run
    run: Run


class Bout(t.NamedTuple):
    """A rival's run, and ours just before and just after it."""

    before: Run
    rival: Run
    after: Run


def measure(ground: Ground, rounds: int, progress: Progress) -> dict[Scenario, list[Pair]]:
    """Run every scenario once a round, each after a ping of its own; the order turns with the rounds."""
    for fleet in {scenario.fleet for scenario in SCENARIOS if scenario.work == "idle"}:
        ground.run("ours", fleet, "issue", where=f"idle-{fleet}")
    pairs: dict[Scenario, list[Pair]] = defaultdict(list)
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        turn = number % len(SCENARIOS)
        for scenario in SCENARIOS[turn:] + SCENARIOS[:turn]:
            where = f"{scenario.work}-{scenario.fleet}"
            ping = ground.ping(scenario.fleet)
            pairs[scenario].append(Pair(ping, ground.run("ours", scenario.fleet, scenario.work, where=where)))
    _prove_that_it_looks(ground)
    return pairs


def _prove_that_it_looks(ground: Ground) -> None:
    """Refuse figures of a run that saves its time by not looking: it must see one wrong key among all."""
    ground.swap_key("host0", f"id{MANY.identities - 1}", f"idle-{MANY}")
    ground.check("ours", MANY, where=f"idle-{MANY}")


def duel(ground: Ground, fights: t.Sequence[Duel], progress: Progress) -> dict[tuple[str, Fleet, Work], list[Bout]]:
    """Run the rivals between two runs of ours that do the same work."""
    bouts: dict[tuple[str, Fleet, Work], list[Bout]] = defaultdict(list)
    for fleet, rounds, _ in fights:
        for number in range(rounds):
            for rival, title in RIVALS.items():
                progress(f"community.crypto, {title}, {fleet}, round {number + 1} of {rounds}")
                _bout(ground, rival, fleet, bouts)
    return bouts


def _bout(ground: Ground, rival: str, fleet: Fleet, bouts: dict[tuple[str, Fleet, Work], list[Bout]]) -> None:
    works: tuple[Work, ...] = ("issue", "idle")
    for work in works:
        before, theirs, after = (
            ground.run(name, fleet, work, where=f"duel-{name}") for name in ("ours", rival, "ours")
        )
        bouts[rival, fleet, work].append(Bout(before, theirs, after))
