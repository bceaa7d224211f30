# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether what is due can be renewed in time, by windows, freezes, and how much one run may do.

A timer begins a run once in every `every`, late by up to `spread`. So a run begins for sure in each open time that is
as long as both together, and nothing less is counted. What is due waits for such a time until its floor.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import typing as t

from .._durations import shown
from .calendar import Span
from .wishes import floor_of

if t.TYPE_CHECKING:
    from .calendar import Calendar
    from .wishes import Wish

NOTHING = dt.timedelta(0)


class Pace(t.NamedTuple):
    """How often a run begins, by how much it may be late, and how many identities it renews."""

    every: dt.timedelta
    spread: dt.timedelta
    at_most: int

    @property
    def sure(self) -> dt.timedelta:
        """Return how long renewal has to be allowed so that a run begins then."""
        return self.every + self.spread


def conflict(wanted: t.Sequence[Wish], calendar: Calendar, floor: str, pace: Pace, now: dt.datetime) -> str | None:
    """Return why something may not be renewed in time: option, value, remedy. None where everything will be."""
    held = bool(calendar.windows or calendar.freezes)
    times = {one: one.margin - floor_of(floor, one.lifetime) * held for one in wanted}
    if not times:
        return None
    first = min(times, key=lambda one: times[one])
    if times[first] <= NOTHING:
        return (
            f"floor: {floor} is not less than {first.said} of {first.name} on {first.host}, which so would never wait "
            "for a window; write a lower floor, or declare a longer renew_before"
        )
    whole = calendar.open_in(now, calendar.horizon(now) + max(times.values()))
    spans = [one for one in whole if one.length >= pace.sure]
    if not spans:
        return (
            f"windows: renewal is never allowed for {_long(pace.sure)} at once, so that a run of every "
            f"{_long(pace.every)} with a spread of {_long(pace.spread)} may begin in none; write a longer window, or a "
            "shorter every or spread"
        )
    return _too_late(times, first, _longest_wait(spans, pace, now), calendar) or _too_many(times, spans, pace, now)


class _Wait(t.NamedTuple):
    time: dt.timedelta
    closed: Span


def _longest_wait(spans: t.Sequence[Span], pace: Pace, now: dt.datetime) -> _Wait:
    """Return how long what is due may wait for a run, from the last moment of one span to the first run of another."""
    waits = [_Wait(spans[0].begin - now + pace.sure, Span(now, spans[0].begin))]
    for one, later in itertools.pairwise(spans):
        closed = Span(one.end, later.begin)
        waits.append(_Wait(closed.length + 2 * pace.sure, closed))
    return max(waits, key=lambda one: one.time)


def _too_late(times: t.Mapping[Wish, dt.timedelta], first: Wish, wait: _Wait, calendar: Calendar) -> str | None:
    """Say of the identity with the least time that it may become due and not be renewed before its floor."""
    if wait.time <= times[first]:
        return None
    others = sum(left < wait.time for left in times.values()) - 1
    more = f" (and {others} more)" if others else ""
    leaves = f"{first.name} on {first.host}{more} has {_long(times[first])} between {first.said} and the"
    if not wait.closed.length:
        return (
            f"every: what is due may wait for {_long(wait.time)}, by every and spread; {leaves} floor or its end; "
            "write a shorter every or spread, or declare a longer renew_before"
        )
    frozen = bool(calendar.frozen_in(wait.closed))
    remedy = "a shorter freeze" if frozen else "more windows"
    return (
        f"{'freezes' if frozen else 'windows'}: from {calendar.shown(wait.closed.begin)} to "
        f"{calendar.shown(wait.closed.end)} nothing is renewed, so what is due may wait for {_long(wait.time)}; "
        f"{leaves} floor; declare {remedy}, a longer renew_before, or a lower floor"
    )


def _too_many(
    times: t.Mapping[Wish, dt.timedelta], spans: t.Sequence[Span], pace: Pace, now: dt.datetime
) -> str | None:
    """Say that what was issued at once, and is due at once, is more than the runs may renew in time."""
    ordered, runs = sorted(times.values()), 0
    for left in sorted(set(ordered)):
        many = bisect.bisect_right(ordered, left)
        if many > runs * pace.at_most:  # in a longer time there are no fewer
            runs = _runs(spans, left, pace, now)
        if many > runs * pace.at_most:
            return (
                f"at_most: {pace.at_most} in each of {runs} runs do not renew {many} identities within {_long(left)}, "
                f"which is all the time that they have when they are due at once; write at least "
                f"{-(-many // max(runs, 1))} if the authority allows it, a shorter every, or a longer renew_before"
            )
    return None


def _runs(spans: t.Sequence[Span], time: dt.timedelta, pace: Pace, now: dt.datetime) -> int:
    """Return how many runs begin in the worst time of a length; that begins where an open one ends, or ends at one."""
    starts = {now, *(one.end - pace.sure for one in spans[:-1]), *(one.begin - time for one in spans)}
    ends = [one.end for one in spans]
    least = None
    for start in starts:
        if not now <= start <= spans[-1].end - time:
            continue
        runs, number = 0, bisect.bisect_right(ends, start)
        while number < len(spans) and spans[number].begin < start + time:
            length = min(spans[number].end, start + time) - max(spans[number].begin, start)
            runs += max((length - pace.spread) // pace.every, 0)
            number += 1
        least = runs if least is None else min(least, runs)
    return least or 0


def _long(time: dt.timedelta) -> str:
    """Return a duration, in whole minutes when it is long."""
    whole = int(time.total_seconds())
    if whole < 3600:
        return shown(whole)
    days, rest = divmod(whole, 86400)
    hours, minutes = divmod(rest // 60, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"))
    return " ".join(f"{number}{unit}" for number, unit in parts if number)
