# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From runs to figures: the median over the rounds of what was compared within one round, and its quartiles."""

from __future__ import annotations

import statistics
import typing as t

from .scenarios import DUELS, RIVALS, Fleet, Scenario, Slope, Work

if t.TYPE_CHECKING:
    from .measure import Bout, Pair

Figures = dict[str, t.Any]


def spread(values: t.Iterable[float]) -> Figures:
    """Return median, quartiles and extremes."""
    ordered = sorted(values)
    low, _, high = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else ordered * 3
    numbers = {"median": statistics.median(ordered), "low": low, "high": high, "min": ordered[0], "max": ordered[-1]}
    return {name: round(number, 4) for name, number in numbers.items()}


def rows(pairs: t.Mapping[Scenario, t.Sequence[Pair]]) -> list[Figures]:
    """Return a row for each scenario, as multiples of a ping: by the clock, and in processor time."""
    return [
        {
            "hosts": scenario.fleet.hosts,
            "identities": scenario.fleet.identities,
            "work": scenario.work,
            "rounds": len(runs),
            "ping_seconds": spread(pair.ping.wall for pair in runs),
            "seconds": spread(pair.run.wall for pair in runs),
            "ratio": spread(pair.run.wall / pair.ping.wall for pair in runs),
            "cpu_ratio": spread(pair.run.cpu / pair.ping.cpu for pair in runs),
            "goal": scenario.goal,
            "stretch": scenario.stretch,
        }
        for scenario, runs in pairs.items()
    ]


def slopes(pairs: t.Mapping[Scenario, t.Sequence[Pair]], wanted: t.Iterable[Slope]) -> list[Figures]:
    """Return what one more identity costs, in milliseconds: in all, and above a ping on the same inventory.

    Ansible itself reads an inventory with more in it, whatever the task is.
    """
    runs = {(scenario.work, scenario.fleet): run for scenario, run in pairs.items()}
    return [_slope(slope, runs) for slope in wanted]


def _slope(slope: Slope, runs: t.Mapping[tuple[Work, Fleet], t.Sequence[Pair]]) -> Figures:
    both = list(zip(runs[slope.work, slope.small], runs[slope.work, slope.large], strict=True))
    more = (slope.large.identities - slope.small.identities) / 1000
    return {
        "work": slope.work,
        "from": slope.small.identities,
        "to": slope.large.identities,
        "milliseconds": spread((large.run.wall - small.run.wall) / more for small, large in both),
        "cpu_milliseconds": spread((large.run.cpu - small.run.cpu) / more for small, large in both),
        "above_ping": spread((_above(large) - _above(small)) / more for small, large in both),
        "goal": slope.goal,
        "stretch": slope.stretch,
    }


def _above(pair: Pair) -> float:
    return pair.run.wall - pair.ping.wall


def duels(bouts: t.Mapping[tuple[str, Fleet, Work], t.Sequence[Bout]]) -> list[Figures]:
    """Return how many times longer than ours the rivals take."""
    goals = {(fleet, work): goal for fleet, _, wanted in DUELS for work, goal in wanted.items()}
    return [
        {
            "rival": rival,
            "title": RIVALS[rival],
            "hosts": fleet.hosts,
            "identities": fleet.identities,
            "work": work,
            "rounds": len(fought),
            "rival_seconds": spread(bout.rival.wall for bout in fought),
            "seconds": spread(_ours(bout) for bout in fought),
            "factor": spread(bout.rival.wall / _ours(bout) for bout in fought),
            "goal": goals[fleet, work],
        }
        for (rival, fleet, work), fought in bouts.items()
    ]


def _ours(bout: Bout) -> float:
    return (bout.before.wall + bout.after.wall) / 2
