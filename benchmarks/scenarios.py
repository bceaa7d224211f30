# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is measured, and what it may cost: multiples of one ping, and how many times longer the rivals shall take."""

from __future__ import annotations

import typing as t

Work = t.Literal["idle", "issue"]
WORK: dict[Work, str] = {"idle": "nothing to do", "issue": "first issue"}


class Fleet(t.NamedTuple):
    """So many hosts with so many identities each."""

    hosts: int
    identities: int

    def __str__(self) -> str:
        """Name the fleet as the tables do."""
        return f"{self.hosts} x {self.identities}"


class Scenario(t.NamedTuple):
    """Work on a fleet, and the ratios to a ping that are wanted and hoped for (None: no goal)."""

    fleet: Fleet
    work: Work
    goal: float | None = None
    stretch: float | None = None


class Slope(t.NamedTuple):
    """What one more identity costs, between two fleets, in milliseconds."""

    work: Work
    small: Fleet
    large: Fleet
    goal: float
    stretch: float | None = None


class Duel(t.NamedTuple):
    """Fleet and rounds in which the rivals run too, and how many times longer than ours they shall take."""

    fleet: Fleet
    rounds: int
    goals: t.Mapping[Work, float]


ONE, TEN, FIFTY, MANY, WIDE = Fleet(1, 1), Fleet(1, 10), Fleet(1, 50), Fleet(1, 500), Fleet(10, 10)

SCENARIOS = (
    Scenario(ONE, "idle"),
    Scenario(TEN, "idle", 1.15, 1.10),
    Scenario(FIFTY, "idle", 1.15, 1.10),
    Scenario(MANY, "idle", 1.25),
    Scenario(WIDE, "idle", 1.25),
    Scenario(ONE, "issue"),
    Scenario(TEN, "issue", 1.6),
    Scenario(FIFTY, "issue", 1.6),
    Scenario(WIDE, "issue", 2.4, 2.1),
)
SLOPES = (Slope("idle", TEN, MANY, 0.3), Slope("issue", TEN, FIFTY, 3.0, 1.0))

BACKENDS = {"openbao": "issued by OpenBao", "postgresql": "ledger in PostgreSQL"}
SHARED_LEDGER = (Scenario(TEN, "idle", 1.25), Scenario(WIDE, "idle", 1.25))


def issuing(*, quick: bool) -> tuple[Scenario, ...]:
    """Return the first issues that a real server is to sign."""
    return tuple(Scenario(Fleet(1, count), "issue") for count in (10, 100, 300 if quick else 1000))


def per_certificate(scenarios: t.Sequence[Scenario], sign_call: float) -> list[Slope]:
    """Return what one more certificate may cost beside one sign call of so many milliseconds."""
    goal = round(2 * sign_call + 3, 2)
    small, *larger = (scenario.fleet for scenario in scenarios)
    return [Slope("issue", small, large, goal) for large in larger]


RIVALS = {"cc_ownca": "CA key on the host", "cc_pipe": "CA key on the controller"}
DUELS = (
    Duel(TEN, 3, {"idle": 12, "issue": 9}),
    Duel(FIFTY, 1, {"idle": 65, "issue": 44}),
    Duel(WIDE, 1, {"idle": 30, "issue": 15}),
)
