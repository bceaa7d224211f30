# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When renewal is allowed: windows over midnight, over the change of the clock, and freezes."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._renewing.calendar import calendar

MONDAY = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
BERLIN = "Europe/Berlin"
WEEK = dt.timedelta(days=7)


def at(text: str) -> dt.datetime:
    """Return a moment of UTC."""
    return dt.datetime.fromisoformat(f"{text}:00Z")


@pytest.mark.parametrize(
    ("windows", "wanted"),
    [
        ([], [("2026-11-23 00:00", "2026-11-30 00:00")]),
        (["sun 02:00-06:00"], [("2026-11-29 02:00", "2026-11-29 06:00")]),
        (["TUE 22:00-04:00"], [("2026-11-24 22:00", "2026-11-25 04:00")]),
        (["sun 22:00-04:00"], [("2026-11-23 00:00", "2026-11-23 04:00"), ("2026-11-29 22:00", "2026-11-30 00:00")]),
        (["sat,sun 00:00-24:00"], [("2026-11-28 00:00", "2026-11-30 00:00")]),
        (["sun-mon 00:00-24:00"], [("2026-11-23 00:00", "2026-11-24 00:00"), ("2026-11-29 00:00", "2026-11-30 00:00")]),
        (["wed 01:00-03:00", "wed 02:00-05:00"], [("2026-11-25 01:00", "2026-11-25 05:00")]),
    ],
)  # fmt: skip
def test_windows_are_times_of_the_week(windows: list[str], wanted: list[tuple[str, str]]) -> None:
    found = calendar(windows, [], "UTC").open_in(MONDAY, MONDAY + WEEK)
    assert [tuple(span) for span in found] == [(at(begin), at(end)) for begin, end in wanted]


def test_a_window_follows_the_clock_of_its_time_zone() -> None:
    summer, winter = at("2026-07-01 00:00"), at("2026-12-01 00:00")
    when = calendar(["daily 02:00-03:00"], [], BERLIN)
    begins = [when.open_in(moment, moment + dt.timedelta(days=1))[0].begin for moment in (summer, winter)]
    assert begins == [at("2026-07-01 00:00"), at("2026-12-01 01:00")]
    spring = at("2026-03-28 12:00")  # in the night to the 29th there is no time from 02:00 to 03:00
    assert when.open_in(spring, spring + dt.timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("freeze", "wanted"),
    [
        ({"from": "2026-11-24", "to": "2026-11-24"}, "2026-11-24 00:00/2026-11-25 00:00"),
        ({"from": dt.date(2026, 11, 24), "to": dt.date(2026, 11, 25)}, "2026-11-24 00:00/2026-11-26 00:00"),
        ({"from": "2026-11-24T18:00:00+01:00", "to": "2026-11-25T06:00"}, "2026-11-24 17:00/2026-11-25 06:00"),
    ],
)
def test_a_freeze_takes_its_days_out_of_all_windows(freeze: dict[str, str], wanted: str) -> None:
    first, last = calendar([], [freeze], "UTC").open_in(MONDAY, MONDAY + WEEK)
    begin, end = wanted.split("/")
    assert (first.end, last.begin) == (at(begin), at(end))


@pytest.mark.parametrize(
    ("now", "wanted"),
    [
        ("2026-11-29 02:00", None),
        ("2026-11-29 05:59", None),
        ("2026-11-29 06:00", "no window is open, until Sun 2026-12-06 02:00 UTC"),
        ("2026-12-20 03:00", "there is a freeze (the year ends), until Sun 2027-01-10 02:00 UTC"),
    ],
)
def test_why_it_is_not_allowed_is_a_sentence_with_its_end(now: str, wanted: str | None) -> None:
    freeze = {"from": "2026-12-20", "to": "2027-01-06", "reason": "the year ends"}
    assert calendar(["sun 02:00-06:00"], [freeze], "UTC").closed_because(at(now)) == wanted


@pytest.mark.parametrize(
    "window", ["", "sun", "02:00-06:00", "sunday 02:00-06:00", "sun 2:00-6:00", "sun-mon-tue 02:00-06:00", 1320, None]
)
def test_what_is_no_window_is_refused(window: object) -> None:
    with pytest.raises(Misconfigured, match="is no window; write days and a time, as sun 02:00-06:00"):
        calendar([window], [], "UTC")


@pytest.mark.parametrize("window", ["sun 02:60-06:00", "sun 24:00-06:00", "sun 02:00-24:01", "sun 02:00-02:00"])
def test_a_time_that_is_on_no_clock_is_refused(window: str) -> None:
    with pytest.raises(Misconfigured, match="has no possible time; write one from 00:00 to 24:00"):
        calendar([window], [], "UTC")


@pytest.mark.parametrize(
    ("freeze", "says"),
    [
        ("2026-12-20", r"freezes\[0\]: it needs from and to"),
        ({"from": "2026-12-20"}, r"freezes\[0\]: it needs from and to"),
        ({"from": "2026-12-20", "to": "2026-12-24", "why": "x"}, r"freezes\[0\]: it needs from and to"),
        ({"from": "2026-12-20", "to": "2026-12-00"}, r"freezes\[0\].to: '2026-12-00' is no day and no moment"),
        ({"from": "2026-12-20", "to": "9999-12-31"}, r"freezes\[0\].to: '9999-12-31' is no day and no moment"),
        ({"from": "2026-12-20", "to": "2026-12-19"}, r"freezes\[0\]: to 2026-12-19 is before from 2026-12-20"),
    ],
)
def test_what_is_no_freeze_is_refused(freeze: object, says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        calendar([], [freeze], "UTC")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(Misconfigured, match="is no time zone that this machine knows; write for example Europe/Berlin"):
        calendar([], [], zone)
