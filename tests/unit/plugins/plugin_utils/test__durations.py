# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Durations, lifetimes, and when to renew."""

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._durations import (
    lifetime,
    renew_before,
    seconds,
    timeout,
)

DAY = 86400


@pytest.mark.parametrize(("text", "wanted"), [("0s", 0), ("90s", 90), ("5m", 300), ("12h", 43200), ("30d", 30 * DAY)])
def test_a_duration_is_a_number_and_a_unit(text: str, wanted: int) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "30", "d", "30 d", "-1d", "1.5h", "30D", "1w", "٣d", "1h30m", "9" * 10 + "s", "5s\n"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(Misconfigured, match="is not a duration; write a number and s, m, h or d"):
        seconds(text)


def test_a_call_that_may_take_no_time_is_refused() -> None:
    assert timeout("2m") == 120
    with pytest.raises(Misconfigured, match="'0s' is no time at all; write for example 30s"):
        timeout("0s")


@pytest.mark.parametrize("text", ["0s", "59s", "36501d"])
def test_an_impossible_lifetime_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match=f"'{text}' is no possible lifetime; write one from 60s to 36500d"):
        lifetime(text)


def test_the_shortest_and_the_longest_lifetime_are_possible() -> None:
    assert (lifetime("60s"), lifetime("36500d")) == (60, 36500 * DAY)


@pytest.mark.parametrize(("text", "wanted"), [("33%", "33%"), ("1%", "1%"), ("99%", "99%"), ("10d", str(10 * DAY))])
def test_renewal_is_a_share_of_the_life_or_seconds(text: str, wanted: str) -> None:
    assert renew_before(text, 30 * DAY) == wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0%", "'0%' is not a share of the life; write 1% to 99%"),
        ("100%", "'100%' is not a share of the life"),
        ("033%", "'033%' is not a share of the life"),
        ("30d", "'30d' leaves no time in a lifetime of 30d"),
        ("31d", "'31d' leaves no time"),
        ("0s", "'0s' leaves no time"),
        ("often", "'often' is not a duration"),
    ],
)
def test_a_renewal_that_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        renew_before(text, 30 * DAY)
    assert str(refused.value).startswith(says)
