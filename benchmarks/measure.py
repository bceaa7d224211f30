# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Rounds of runs that alternate, so that whatever else the machine does falls on all of them."""

from __future__ import annotations

import typing as t
from collections import defaultdict

from .scenarios import RIVALS, Duel, Fleet, Scenario, Work

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


def measure(  # noqa: PLR0913 - what a measurement consists of
    ground: Ground,
    scenarios: t.Sequence[Scenario],
    rounds: int,
    progress: Progress,
    *,
    name: str = "ours",
    aside: t.Callable[[], None] | None = None,
) -> dict[Scenario, list[Pair]]:
    """Run a playbook on every scenario once a round, each after a ping of its own; the order turns with the rounds.

    What is measured `aside` is measured once a round.
    """
    for fleet in {scenario.fleet for scenario in scenarios if scenario.work == "idle"}:
        ground.run(name, fleet, "issue", where=f"idle-{fleet}")
    pairs: dict[Scenario, list[Pair]] = defaultdict(list)
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        turn = number % len(scenarios)
        for scenario in [*scenarios[turn:], *scenarios[:turn]]:
            where = f"{scenario.work}-{scenario.fleet}"
            ping = ground.ping(scenario.fleet)
            pairs[scenario].append(Pair(ping, ground.run(name, scenario.fleet, scenario.work, where=where)))
        if aside is not None:
            aside()
    return pairs


def prove_that_it_looks(ground: Ground, fleet: Fleet, name: str = "ours") -> None:
    """Refuse figures of a run that saves its time by not looking: it must see one wrong key among all of a host."""
    ground.swap_key("host0", f"id{fleet.identities - 1}", f"idle-{fleet}")
    ground.check(name, fleet, where=f"idle-{fleet}")


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
