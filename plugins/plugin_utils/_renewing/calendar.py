# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When renewal is allowed: windows of the week in a time zone, and freezes, which are dated and stronger."""

from __future__ import annotations

import datetime as dt
import re
import typing as t
import zoneinfo

from ...module_utils._core.errors import Misconfigured

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 24 * 60
AHEAD = dt.timedelta(days=400)  # every week of a year, with both changes of the clock
FARTHEST = dt.timedelta(days=3660)

_WINDOW = re.compile(r"(daily|[a-z]{3}(?:[-,][a-z]{3})*) (\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
_DAY = dt.timedelta(days=1)


class Span(t.NamedTuple):
    """A time from a moment on, up to another one, which is not in it."""

    begin: dt.datetime
    end: dt.datetime

    @property
    def length(self) -> dt.timedelta:
        """Return how long it is."""
        return self.end - self.begin


class Window(t.NamedTuple):
    """A time of some days of the week, in minutes from midnight; the end may be on the next day."""

    days: frozenset[int]
    begin: int
    end: int


class Freeze(t.NamedTuple):
    """A time in which nothing is renewed, and why."""

    span: Span
    reason: str


class Calendar(t.NamedTuple):
    """What says when renewal is allowed. Without windows it always is, but for the freezes."""

    windows: tuple[Window, ...]
    freezes: tuple[Freeze, ...]
    zone: dt.tzinfo

    def open_in(self, begin: dt.datetime, end: dt.datetime) -> list[Span]:
        """Return the times from `begin` to `end` in which renewal is allowed, in their order, none touching another."""
        found = [Span(begin, end)] if not self.windows else _merged(self._windows_in(begin, end))
        for freeze in self.freezes:
            found = [part for span in found for part in _without(span, freeze.span)]
        return found

    def closed_because(self, now: dt.datetime) -> str | None:
        """Return why renewal is not allowed now, and from when on it is again; None where it is."""
        later = self.open_in(now, self.horizon(now))
        if later and later[0].begin == now:
            return None
        frozen = [one.reason for one in self.freezes if one.span.begin <= now < one.span.end]
        why = f"there is a freeze{_for(frozen[0])}" if frozen else "no window is open"
        return f"{why}, until {self.shown(later[0].begin)}" if later else why

    def horizon(self, now: dt.datetime) -> dt.datetime:
        """Return the end of what has to be looked at: a year after the last freeze, and no more than ten."""
        ends = [one.span.end - now for one in self.freezes]
        return now + AHEAD + min(max([dt.timedelta(0), *ends]), FARTHEST)

    def frozen_in(self, span: Span) -> list[Freeze]:
        """Return the freezes that have a part of a time."""
        return [one for one in self.freezes if one.span.begin < span.end and span.begin < one.span.end]

    def shown(self, moment: dt.datetime) -> str:
        """Return a moment as people write it where the calendar holds."""
        return f"{moment.astimezone(self.zone):%a %Y-%m-%d %H:%M %Z}"

    def _windows_in(self, begin: dt.datetime, end: dt.datetime) -> t.Iterator[Span]:
        day = begin.astimezone(self.zone).date() - _DAY
        last = end.astimezone(self.zone).date()
        while day <= last:
            for one in self.windows:
                if day.weekday() in one.days:
                    span = Span(max(begin, self._at(day, one.begin)), min(end, self._at(day, one.end)))
                    if span.begin < span.end:
                        yield span
            day += _DAY

    def _at(self, day: dt.date, minutes: int) -> dt.datetime:
        days, rest = divmod(minutes, MINUTES)
        clock = dt.time(rest // 60, rest % 60, tzinfo=self.zone)
        return dt.datetime.combine(day + days * _DAY, clock).astimezone(dt.UTC)


def calendar(windows: t.Iterable[t.Any], freezes: t.Iterable[t.Any], timezone: str) -> Calendar:
    """Return what a user declares. Raises Misconfigured."""
    try:
        zone = zoneinfo.ZoneInfo(str(timezone))
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        raise Misconfigured(
            f"timezone: {str(timezone)!r:.60} is no time zone that this machine knows; write for example "
            "Europe/Berlin, and install the package tzdata where there are none"
        ) from None
    read = tuple(_freeze(one, number, zone) for number, one in enumerate(freezes))
    return Calendar(tuple(_window(one) for one in windows), read, zone)


def _window(said: t.Any) -> Window:
    match = _WINDOW.fullmatch(said.lower()) if isinstance(said, str) else None
    days = _days(match[1]) if match else frozenset()
    if match is None or not days:
        raise Misconfigured(
            f"windows: {str(said)!r:.60} is no window; write days and a time, as sun 02:00-06:00, mon-fri 22:00-04:00, "
            "sat,sun 00:00-24:00 or daily 01:00-05:00"
        )
    begin, end = (int(hour) * 60 + int(minute) for hour, minute in ((match[2], match[3]), (match[4], match[5])))
    if int(match[3]) > 59 or int(match[5]) > 59 or begin >= MINUTES or end > MINUTES or begin == end:
        raise Misconfigured(f"windows: {said!r:.60} has no possible time; write one from 00:00 to 24:00")
    return Window(days, begin, end if begin < end else end + MINUTES)


def _days(said: str) -> frozenset[int]:
    """Return days of the week by their numbers; none where one of them is no day."""
    if said == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in said.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not set(ends) <= set(DAYS):
            return frozenset()
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        found |= {day % 7 for day in range(first, (last if last >= first else last + 7) + 1)}
    return frozenset(found)


def _freeze(said: t.Any, number: int, zone: dt.tzinfo) -> Freeze:
    where = f"freezes[{number}]"
    if not isinstance(said, t.Mapping) or not {"from", "to"} <= {*said} <= {"from", "to", "reason"}:
        raise Misconfigured(
            f"{where}: it needs from and to, and may have a reason; write {{from: 2026-12-20, to: 2027-01-06}}"
        )
    begin, end = (_moment(said[name], f"{where}.{name}", zone, last=name == "to") for name in ("from", "to"))
    if end <= begin:
        raise Misconfigured(f"{where}: to {said['to']!s:.40} is before from {said['from']!s:.40}; exchange them")
    return Freeze(Span(begin, end), str(said.get("reason") or ""))


def _moment(said: t.Any, where: str, zone: dt.tzinfo, *, last: bool) -> dt.datetime:
    """Return a moment by UTC, or the beginning of a day there, with `last` its end."""
    text = str(said)
    try:
        if len(text) == len("2026-12-20"):
            day = dt.date.fromisoformat(text) + (_DAY if last else 0 * _DAY)
            return dt.datetime.combine(day, dt.time(tzinfo=zone)).astimezone(dt.UTC)
        found = dt.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Misconfigured(
            f"{where}: {text!r:.60} is no day and no moment; write 2026-12-20 or 2026-12-20T18:00:00+01:00"
        ) from None


def _merged(spans: t.Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for one in sorted(spans):
        if found and one.begin <= found[-1].end:
            found[-1] = Span(found[-1].begin, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


def _without(span: Span, taken: Span) -> t.Iterator[Span]:
    for part in (Span(span.begin, min(span.end, taken.begin)), Span(max(span.begin, taken.end), span.end)):
        if part.begin < part.end:
            yield part


def _for(reason: str) -> str:
    return f" ({reason})" if reason else ""
