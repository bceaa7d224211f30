# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An incident as events of the ledger, under a name that no identity can have: nothing of it can be changed later."""

from __future__ import annotations

import json
import typing as t
from datetime import timedelta

from ...module_utils._options.identity_incident import STAGES
from .._canonical import canonical
from .._durations import shown
from .._ledger.moments import moment
from .._ledger.port import Event, Outcome

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._ledger.chain import Readable

WHO = "identity_incident"
ACTION = "incident"
_PREFIX = "incident "
_EVENTS = """
SELECT e.seq, e.hash, e.identity, e.message FROM events e WHERE e.action = 'incident' ORDER BY e.seq
"""
_FIRST = STAGES[:2]
Fields = dict[str, t.Any]


class Told(t.NamedTuple):
    """An event of an incident: where it stands in the chain, and what it says."""

    seq: int
    hash: str
    said: Fields


class Incident(t.NamedTuple):
    """An incident, by what was written down of it, the oldest first. There is at least that it was detected."""

    name: str
    told: tuple[Told, ...]

    @property
    def opened(self) -> Fields:
        """What was said of it when it was opened."""
        return self.told[0].said

    @property
    def times(self) -> dict[str, str]:
        """When which stage was reached: the first time of what is known, the last time of what is done."""
        found: dict[str, str] = {}
        for one in self.told:
            stage = one.said["stage"]
            if stage not in _FIRST or stage not in found:
                found[stage] = one.said["at"]
        return {stage: found[stage] for stage in STAGES if stage in found}

    @property
    def is_open(self) -> bool:
        """Whether something may be left to do."""
        stages = [one.said["stage"] for one in self.told]
        return "verified" not in stages or "triaged" in stages[len(stages) - stages[::-1].index("verified") :]


def incidents(ledger: Readable) -> dict[str, Incident]:
    """Return all incidents by their names, the oldest first."""
    found: dict[str, list[Told]] = {}
    for seq, link, identity, message in ledger.read(_EVENTS):
        if identity.startswith(_PREFIX):
            found.setdefault(identity.removeprefix(_PREFIX), []).append(Told(seq, link, json.loads(message)))
    return {name: Incident(name, tuple(told)) for name, told in found.items()}


def outcome(name: str, said: Fields) -> Outcome:
    """Return what the ledger is told of one stage."""
    reason = f"{said['stage']} at {said['at']} ({said['reason']})"
    return Outcome(_PREFIX + name, None, (Event(ACTION, reason, message=canonical(said, WHO).decode()),))


def at(when: datetime) -> str:
    """Return a moment as an incident has it."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


def seconds_between(begin: str, end: str) -> int:
    """Return how long it took."""
    return int((moment(end) - moment(begin)).total_seconds())


def told(one: Incident, now: datetime) -> Fields:
    """Return an incident as tasks return it."""
    times, opened = one.times, one.opened
    due = at(moment(times["detected"]) + timedelta(seconds=opened["limit"]))
    contained = times.get("contained")
    kept = contained <= due if contained else (None if at(now) <= due else False)
    return {
        "name": one.name,
        "open": one.is_open,
        "about": opened["about"],
        "reason": opened["reason"],
        "times": times,
        "seconds": {stage: seconds_between(times["detected"], when) for stage, when in times.items()},
        "limit": {"time": shown(opened["limit"]), "until": due, "kept": kept},
        "totals": next((each.said["totals"] for each in reversed(one.told) if each.said["totals"]), {}),
    }
