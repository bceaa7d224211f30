# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_incident: what is known of incidents, one of them written down further, and its evidence."""

from __future__ import annotations

import contextlib
import hashlib
import re
import typing as t
from datetime import UTC, datetime, timedelta

from ...module_utils._core.errors import Misconfigured
from ...module_utils._options.identity_incident import STAGES
from .._actor import actor
from .._as_said import moment
from .._blast_radius.answer import LEAKED, asked
from .._canonical import canonical
from .._durations import timeout
from .._ledger.port import Batch
from .._ledger.registry import open_for
from .._recall import opened
from .incident import WHO, Fields, Incident, Told, at, incidents, outcome, told

if t.TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SKEW = timedelta(minutes=5)
_LIMITS = {LEAKED: "1d"}
_OTHERWISE = "5d"
"""Baseline Requirements of the CA/Browser Forum, 4.9.1.1: what an authority has to revoke within a day, or five."""
Options = t.Mapping[str, t.Any]


class Setting(t.NamedTuple):
    """How the task runs, and on behalf of which host."""

    host: str
    playbook: str | None
    check: bool


def answer(args: Options, setting: Setting) -> Fields:
    """Return what the task returns. Raises KeysteadError; the ledger must be there."""
    now = datetime.now(UTC)
    _check(args, now)
    with opened(args, WHO) as ledger:
        known = incidents(ledger)
    if args["name"] is None and args["about"] is None:
        return _all_of_them(known, now)
    before = _found(args, known)
    new = _to_write(args, before, _name(args, known, before, now), now)
    after = _with(before, new)
    if new and not setting.check:
        with contextlib.closing(open_for(args, read_only=False)) as ledger:
            who = Batch(setting.host, "", actor(setting.playbook), now)
            ledger.record(who, [outcome(after.name, said) for said in new])
    result = {"changed": bool(new), **told(after, now)}
    if not args["evidence"]:
        return result
    from .evidence import write

    written = write(args, after.name, result, check=setting.check)
    return {**result, "changed": result["changed"] or written["changed"], "evidence": written}


def _check(args: Options, now: datetime) -> None:
    """Refuse what contradicts itself. Raises Misconfigured."""
    name, about = args["name"], args["about"]
    if name is not None and not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{WHO}: option name: {name[:80]!r} is no name; write up to 64 letters, digits, dots, dashes, underscores"
        )
    for option in ("stage", "detected", "limit", "evidence"):
        if args[option] is not None and about is None and (name is None or option != "stage"):
            raise Misconfigured(f"{WHO}: option {option}: about is missing; say what the incident is about")
    if about is not None:
        asked({**about, "reason": args["reason"]}, now, WHO)
    if args["detected"] is not None and moment(args["detected"], f"{WHO}: option detected") > now + _SKEW:
        raise Misconfigured(
            f"{WHO}: option detected: {args['detected']} is to come; write one that has passed, or correct the clock"
        )
    for what, number in (args["totals"] or {}).items():
        if not isinstance(number, int) or isinstance(number, bool):
            raise Misconfigured(f"{WHO}: option totals: {what} is no whole number; give it totals of blast_radius")


def _all_of_them(known: t.Mapping[str, Incident], now: datetime) -> Fields:
    shown = [told(one, now) for one in known.values()]
    took = [one["seconds"]["recovered"] for one in shown if "recovered" in one["seconds"] and not one["open"]]
    return {
        "changed": False,
        "incidents": shown,
        "mean_seconds_to_recover": round(sum(took) / len(took)) if took else None,
    }


def _said(about: Options) -> Fields:
    """Return what an incident is about without what is not said, in one form."""
    return {
        name: sorted(value, key=str) if isinstance(value, list) else value
        for name, value in about.items()
        if value is not None
    }


def _found(args: Options, known: t.Mapping[str, Incident]) -> Incident | None:
    """Return the incident that is meant, where the ledger knows it. Raises Misconfigured where it is another one."""
    name = args["name"]
    if args["about"] is None:
        if name not in known:
            raise Misconfigured(f"{WHO}: option name: the ledger knows no incident {name}; say about to open it")
        return known[name]
    about = _said(args["about"])
    same = [
        one for one in known.values() if (one.opened["about"], one.opened["reason"]) == (about, args["reason"])
    ]
    detected = _detected(args)
    found = known.get(name) if name is not None else _meant(same, detected, args["totals"])
    if found is not None and found not in same:
        raise Misconfigured(
            f"{WHO}: option name: incident {name} is about something else ({found.opened['about']}, "
            f"{found.opened['reason']}); give this one a name of its own"
        )
    if found is not None and detected not in (None, found.times["detected"]):
        raise Misconfigured(
            f"{WHO}: option detected: incident {found.name} was detected at {found.times['detected']}, which does not "
            "change; leave it out, or give this one a name of its own"
        )
    return found


def _meant(same: Sequence[Incident], detected: str | None, totals: Options | None) -> Incident | None:
    """Return which of the incidents about the same is meant by one that has no name, the newest of them."""
    nothing_left = detected is None and (totals or {}).get("affected") == 0
    fits = (one for one in reversed(same) if one.is_open or nothing_left or one.times["detected"] == detected)
    return next((one for one in reversed(same) if one.is_open), None) or next(fits, None)


def _detected(args: Options) -> str | None:
    said = args["detected"]
    return None if said is None else at(moment(said, f"{WHO}: option detected"))


def _name(args: Options, known: t.Mapping[str, Incident], found: Incident | None, now: datetime) -> str:
    if found is not None:
        return found.name
    if args["name"] is not None:
        return str(args["name"])
    digest = hashlib.sha256(canonical([_said(args["about"]), args["reason"]], WHO)).hexdigest()
    day = (_detected(args) or at(now))[:10].replace("-", "")
    number = sum(one.startswith(f"{day}-{digest[:8]}") for one in known)
    return f"{day}-{digest[:8]}" + (f"-{number + 1}" if number else "")


def _to_write(args: Options, before: Incident | None, name: str, now: datetime) -> list[Fields]:
    """Return what is to be written down of an incident, in its order."""
    reason = before.opened["reason"] if before else args["reason"]
    said: list[Fields] = []
    if before is None:
        limit = _limit(args["limit"] or _LIMITS.get(reason, _OTHERWISE))
        said.append({**_stage(STAGES[0], _detected(args) or at(now), reason), "about": _said(args["about"]),
                     "limit": limit})  # fmt: skip
    stage = args["stage"]
    if stage is not None and (args["again"] or before is None or stage not in before.times):
        said.append({**_stage(stage, at(now), reason), "totals": args["totals"] or {}})
    return [{**one, "incident": name} for one in said]


def _limit(said: str) -> int:
    try:
        return timeout(said)
    except Misconfigured as error:
        raise Misconfigured(f"{WHO}: option limit: {error}") from None


def _stage(stage: str, when: str, reason: str) -> Fields:
    return {"stage": stage, "at": when, "reason": reason, "totals": {}}


def _with(before: Incident | None, new: t.Sequence[Fields]) -> Incident:
    further = tuple(Told(0, "", said) for said in new)
    return before._replace(told=before.told + further) if before else Incident(new[0]["incident"], further)
