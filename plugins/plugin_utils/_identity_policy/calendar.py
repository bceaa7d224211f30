# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The calendar of breakage: on which days the policy changes or something ends, and what fails from then on."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._ledger.moments import stamp
from .._policy.dates import changes
from .._policy.load import at
from .failure import breaches, ended, said
from .not_judged import not_judged

if t.TYPE_CHECKING:
    from .._policy.dates import Change
    from .subject import Fields, Subject


class Rules(t.NamedTuple):
    """A policy as it was compiled, and its path, None for the shipped one."""

    compiled: t.Mapping[str, t.Any]
    path: str | None


def calendar(subjects: t.Sequence[Subject], rules: Rules, begin: dt.datetime, end: dt.datetime) -> list[Fields]:
    """Return the days after `begin` until `end`: what changes, what breaks a rule from then on, and what ends.

    Where a rule changes, those of its kind that cannot tell from then on are said as well.
    """
    found: dict[str, Fields] = {}
    known = {one.mark for one in breaches(subjects, at(dict(rules.compiled), rules.path, begin))}
    kind_of = {one["id"]: one["kind"] for one in rules.compiled["rules"]}
    for day, changed in _changes(rules, begin, end).items():
        moment = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
        kinds = {kind_of[one.rule] for one in changed}
        policy = at(dict(rules.compiled), rules.path, moment)
        now = breaches(subjects, policy, kinds)
        silent = [one for one in not_judged(policy, subjects) if kind_of.get(one["rule"]) in kinds]
        fails = [said(one) for one in now if one.mark not in known]
        _entry(found, day).update(changes=[one.text for one in changed], fails=fails, not_judged=silent)
        known = {mark for mark in known if kind_of.get(mark.rule or "") not in kinds} | {one.mark for one in now}
    for subject in subjects:
        if subject.end is not None and stamp(begin) <= subject.end <= stamp(end):
            _entry(found, subject.end[:10])["ends"].append(said(ended(subject)))
    return [found[day] for day in sorted(found)]


def _changes(rules: Rules, begin: dt.datetime, end: dt.datetime) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for one in changes(rules.compiled):
        if f"{begin:%Y-%m-%d}" < one.day <= f"{end:%Y-%m-%d}":
            found.setdefault(one.day, []).append(one)
    return found


def _entry(found: dict[str, Fields], day: str) -> Fields:
    return found.setdefault(day, {"day": day, "changes": [], "fails": [], "ends": [], "not_judged": []})
