# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether windows, freezes and limits leave what is due enough time, by what the filter returns of declarations."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.keystead.identity.plugins.filter.renewal_conflicts import FilterModule

WEB = {"name": "web"}  # 30d, 33%: with a floor of 5%, 8d 9h 36m
NOW = "2026-11-22T12:00:00Z"


def conflicts(*identities: dict[str, str], hosts: int = 1, **said: t.Any) -> list[str]:
    """Return what the filter says of hosts that declare the same."""
    declared = {f"web{number}": list(identities) for number in range(hosts)}
    found: list[str] = FilterModule().filters()["renewal_conflicts"](declared, **{"now": NOW, **said})
    return found


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        (WEB, {}),
        (WEB, {"windows": ["sun 02:00-06:00"]}),
        (WEB, {"windows": ["sun 02:00-03:00"], "every": "30m", "spread": "30m"}),
        ({**WEB, "lifetime": "7d"}, {"windows": ["mon-fri 22:00-04:00", "sat,sun 00:00-24:00"]}),
        (WEB, {"freezes": [{"from": "2026-12-20", "to": "2026-12-27"}]}),
        (WEB, {"freezes": [{"from": "2020-12-20", "to": "2021-12-27"}]}),
        ({**WEB, "lifetime": "90d", "renew_before": "30d"}, {"freezes": [{"from": "2026-12-15", "to": "2027-01-07"}]}),
        ({**WEB, "lifetime": "1h", "state": "absent"}, {"windows": ["sun 02:00-06:00"]}),
        ({**WEB, "lifetime": "5h"}, {"floor": "3h"}),
    ],
)
def test_what_leaves_enough_time_is_no_conflict(identity: dict[str, str], said: dict[str, t.Any]) -> None:
    assert conflicts(identity, **said) == []


LATE = {
    "a week": (
        {**WEB, "lifetime": "7d"},
        {"windows": ["sun 02:00-04:00"]},
        """windows: from Sun 2026-11-29 04:00 UTC to Sun 2026-12-06 02:00 UTC nothing is renewed, so what is due may
        wait for 7d 1h; web on web0 has 1d 23h 2m between renew_before 33% of 7d and the floor; declare more
        windows, a longer renew_before, or a lower floor""",
    ),
    "a freeze": (
        {**WEB, "renew_before": "5d"},
        {"freezes": [{"from": "2026-12-20", "to": "2026-12-24"}], "floor": "1d"},
        """freezes: from Sun 2026-12-20 00:00 UTC to Fri 2026-12-25 00:00 UTC nothing is renewed, so what is due may
        wait for 5d 3h; web on web0 has 4d between renew_before 5d of 30d and the floor; declare a shorter
        freeze, a longer renew_before, or a lower floor""",
    ),
    "an hour": (
        WEB,
        {"windows": ["daily 02:00-03:00"]},
        """windows: renewal is never allowed for 1h 30m at once, so that a run of every 1h with a spread of 30m may
        begin in none; write a longer window, or a shorter every or spread""",
    ),
    "a floor that is too high": (
        WEB,
        {"windows": ["daily 02:00-06:00"], "floor": "40%"},
        """floor: 40% is not less than renew_before 33% of 30d of web on web0, which so would never wait for a
        window; write a lower floor, or declare a longer renew_before""",
    ),
    "a timer that is too slow": (
        {**WEB, "lifetime": "4h"},
        {},
        """every: what is due may wait for 1h 30m, by every and spread; web on web0 has 1h 19m between renew_before
        33% of 4h and the floor or its end; write a shorter every or spread, or declare a longer renew_before""",
    ),
}


@pytest.mark.parametrize("case", LATE)
def test_what_may_come_too_late_is_said_with_its_remedy(case: str) -> None:
    identity, said, wanted = LATE[case]
    assert conflicts(identity, **said) == [" ".join(wanted.split())]


def test_a_window_that_the_change_of_the_clock_takes_away_is_one_that_is_not_there() -> None:
    said = {"windows": ["sun 02:00-03:00"], "every": "30m", "spread": "30m"}
    assert conflicts(WEB, **said, timezone="UTC") == []
    (found,) = conflicts(WEB, **said, timezone="Europe/Berlin")
    assert found.startswith("windows: from Sun 2027-03-21 03:00 CET to Sun 2027-04-04 02:00 CEST nothing is renewed")


@pytest.mark.parametrize(
    ("hosts", "at_most", "said", "wanted"),
    [
        (2000, 10, {}, None),
        (2400, 10, {}, "at_most: 10 in each of 237 runs do not renew 2400 identities within 9d 21h 36m"),
        (720, 30, {"windows": ["daily 01:00-05:00"]}, None),
        (721, 30, {"windows": ["daily 01:00-05:00"]}, "write at least 31 if the authority allows it, a shorter every"),
    ],
)
def test_more_than_the_runs_may_renew_in_time_is_said(
    hosts: int, at_most: int, said: dict[str, t.Any], wanted: str | None
) -> None:
    found = conflicts(WEB, hosts=hosts, at_most=at_most, **said)
    assert found == [] if wanted is None else wanted in found[0]


def test_what_lives_longer_may_take_the_runs_that_are_left() -> None:
    short = {"name": "short", "lifetime": "1d", "renew_before": "12h"}
    assert conflicts(WEB, short, hosts=100, at_most=10) == []
    assert "do not renew 100 identities within 12h" in conflicts(WEB, short, hosts=100, at_most=8)[0]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"every": "hourly"}, "every: 'hourly' is not a duration; write a number and s, m, h or d"),
        ({"every": "0s"}, "every: 0s is too short; write at least 60s"),
        ({"spread": "2h"}, "spread: 2h is longer than every 1h, so runs would be left out; shorten it"),
        ({"at_most": 0}, "at_most: '0' is no number from 1 on"),
        ({"floor": "x", "windows": ["daily 02:00-06:00"]}, "floor: 'x' is not a duration"),
        ({"floor": "100%", "windows": ["daily 02:00-06:00"]}, "floor: '100%' is not a share of the life"),
        ({"windows": ["now"]}, "windows: 'now' is no window"),
        ({"now": "tomorrow"}, "now: 'tomorrow' is no moment"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, t.Any], wanted: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(f"renewal_conflicts: {wanted}")):
        conflicts(WEB, **said)


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ([], "declared: it is no dictionary of hosts"),
        ({"web1": [{"lifetime": "1d"}]}, "declared: web1 has an identity without a name"),
        ({"web1": [{"name": "web", "lifetime": "x"}]}, "declared: web of web1: 'x' is not a duration"),
        ({"web1": [{"name": "web", "renew_before": "30d"}]}, "declared: web of web1: '30d' leaves no time"),
    ],
)
def test_what_is_no_declaration_is_refused(declared: t.Any, wanted: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(f"renewal_conflicts: {wanted}")):
        FilterModule().filters()["renewal_conflicts"](declared)
