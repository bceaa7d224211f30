# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the user of key_rotate sees of keys by themselves. Nothing in it is secret."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ...module_utils._core.keys import public_pem
from .._findings import finding
from .age import since
from .decide import shown as named
from .ending import tainted_at
from .model import ACTIVE, PREPARED, REVOKED, TAINTED, Version

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._action import Task
    from .._rotation import Limits
    from .decide import Plan
    from .model import Act, Known, There
    from .wanted import Wanted

MOST_REVOKED = 10
_UNKNOWN = "not in the ledger"
Record = dict[str, t.Any]


class Outcome(t.NamedTuple):
    """What had to be done with one key, what was done, and what is there then. Of one that failed early, only why."""

    wanted: Wanted
    there: There | None
    known: Known | None = None
    plan: Plan | None = None
    limits: Limits | None = None
    done: tuple[Act, ...] = ()
    error: str | None = None
    after: tuple[There, Known, Plan] | None = None


def unread(declared: Wanted, error: str) -> Outcome:
    """Return the outcome of a key of which nothing can be said."""
    return Outcome(declared, None, error=error)


def result(outcomes: t.Sequence[Outcome], task: Task, warnings: list[str]) -> Record:
    """Return the result of the task."""
    records = [record(one, check=task.check) for one in outcomes]
    said: Record = {"changed": any(one["changed"] for one in records), "keys": records}
    if wrong := [one.error for one in outcomes if one.error]:
        said.update(failed=True, msg="; ".join(dict.fromkeys(wrong)))
    if warnings:
        said["warnings"] = list(dict.fromkeys(warnings))
    if task.diff:
        said["diff"] = [_diff(one) for one in outcomes if one.plan and one.plan.acts]
    return said


def record(outcome: Outcome, *, check: bool) -> Record:
    """Return what is told of one key: after a run, or in check mode, of what there is now."""
    acts = outcome.plan.acts if outcome.plan and (check or not outcome.error) else outcome.done
    about: Record = {
        "name": outcome.wanted.name,
        "backend": outcome.wanted.backend,
        "changed": bool(acts),
        "failed": outcome.error is not None,
        "msg": outcome.error or "",
        "steps": [{"action": act.action, "reason": act.reason, "generation": act.number} for act in acts],
        **dict.fromkeys(("uri", "public_key", "type")),
        "generations": [],
        "findings": [],
    }
    if outcome.there is None or outcome.known is None or outcome.plan is None:
        return about
    there, known, plan = outcome.after or (outcome.there, outcome.known, outcome.plan)
    active = plan.active
    about.update(uri=active.uri, public_key=_pem(active), type=active.type)
    about["generations"] = list(_generations(outcome, there, known, plan))
    waits = [finding("grace", act.reason) for act in plan.waits]
    about["findings"] = [*_findings(outcome.wanted, known, active), *waits]
    return about


def _pem(version: Version) -> str | None:
    return None if version.public_key is None else public_pem(version.public_key)


def _generations(outcome: Outcome, there: There, known: Known, plan: Plan) -> t.Iterator[Record]:
    """Yield each generation with its state, since when it is in that, and when it leaves it at the earliest."""
    for one in [one for one in known.kept if one.gone is not None][-MOST_REVOKED:]:
        yield _told(Version(one.uri, one.number, ""), REVOKED, one.gone)
    for version in there.versions:
        row = known.of(version.uri)
        if row is not None and version.number < plan.active.number:
            at = tainted_at(row, known)
            yield _told(version, TAINTED, at, _later(at, outcome.wanted.grace))
        elif version.uri == plan.active.uri:
            yield _told(version, ACTIVE, row.at if row else None)
        elif plan.prepared is not None and version.uri == plan.prepared.uri:
            at = since(version, known)
            yield _told(version, PREPARED, at, _later(at, outcome.wanted.overlap))


def _told(version: Version, state: str, at: datetime | None, until: datetime | None = None) -> Record:
    told = {"number": version.number, "uri": version.uri, "state": state, "since": _stamp(at), "until": _stamp(until)}
    return {**told, "public_key": _pem(version)}


def _later(at: datetime | None, duration: int | None) -> datetime | None:
    return None if at is None or duration is None else at + timedelta(seconds=duration)


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _findings(wanted: Wanted, known: Known, active: Version) -> t.Iterator[dict[str, str]]:
    """Yield what stays although it was replaced, and why."""
    for row in known.live:
        at = tainted_at(row, known)
        if row.number >= active.number or at is None:
            continue
        gave_way = f"generation {row.number} gave way at {at:%Y-%m-%d %H:%M}, and stays"
        users = known.users.get(row.uri)
        if wanted.grace is None:
            yield finding("tainted", f"{gave_way}: no grace is declared after which it is destroyed")
        elif users and not wanted.destroy_in_use:
            yield finding("in_use", f"{gave_way}, since it is in use by {named(users)}; replace it there first")


def _diff(outcome: Outcome) -> Record:
    """Return the states before and after, each a line; what is destroyed has none."""
    if outcome.there is None or outcome.known is None or outcome.plan is None:
        return {}
    plan, known = outcome.plan, outcome.known
    states = {row.number: TAINTED for row in known.live if row.number != plan.active.number}
    states[plan.active.number] = ACTIVE if known.of(plan.active.uri) else _UNKNOWN
    if plan.prepared is not None:
        states[plan.prepared.number] = PREPARED
    before = _lines(states)
    for act in plan.acts:
        _apply(states, act)
    header = f"key {outcome.wanted.name} in {outcome.wanted.backend}"
    return {"before": before, "after": _lines(states), "before_header": header, "after_header": header}


def _apply(states: dict[int, str], act: Act) -> None:
    if act.action in ("destroy", "withdraw"):
        states.pop(act.number, None)
    elif act.action == "stage_key":
        states[act.number] = PREPARED
    elif act.action == "activate":
        states.update({number: TAINTED for number, state in states.items() if state != PREPARED})
        states[act.number] = ACTIVE
    elif act.action == "adopt":
        states[act.number] = ACTIVE if states.get(act.number) == _UNKNOWN else TAINTED


def _lines(states: t.Mapping[int, str]) -> str:
    return "".join(f"generation {number}: {state}\n" for number, state in sorted(states.items()))
