# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Days count to their ends, and what begins later than today is not good yet."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.judging import (
    Certificate,
    day,
    judged,
    moment,
    policy,
    records,
)

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core
OURS = {"key_type": {"allow": ["ed25519"]}}


@pytest.fixture
def ends(tmp_path: Path) -> list[str]:
    """Return a record that ends in the middle of the tenth day from today on."""
    return records(tmp_path / "r.json", {"name": "old", "not_after": f"{day(10)}T16:13:49Z", "contact": "me"})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with an identity for a year."""
    made = World(tmp_path / "world")
    made.one(web(contact="me", lifetime="365d"))
    return made


def test_what_ends_on_a_day_fails_on_that_day(world: World, ends: list[str]) -> None:
    asked = {"records": ends, "managed": False}
    assert judged(world, **asked, as_of=day(10))["by_rule"] == {"ended": 1}
    assert judged(world, **asked, as_of=day(9))["by_rule"] == {}
    assert judged(world, **asked, as_of=f"{day(10)}T16:00:00Z")["by_rule"] == {}


def test_the_last_day_of_a_calendar_is_in_it(world: World, ends: list[str]) -> None:
    (last,) = judged(world, records=ends, until=day(10))["calendar"]
    assert (last["day"], [one["name"] for one in last["ends"]]) == (day(10), ["old"])
    assert judged(world, records=ends, until=day(9))["calendar"] == []
    assert judged(world, records=ends, as_of=day(10), until=day(11))["calendar"] == [], "it has ended by then"


def test_a_waiver_until_the_last_day_of_all_is_no_day_of_the_calendar(world: World, tmp_path: Path) -> None:
    waiver = {"rule": "keys", "contact": "ciso", "until": "9999-12-31"}
    rules = policy(tmp_path / "p.yml", {"id": "keys", **OURS}, waivers=[waiver])
    result = judged(world, policy=rules, until=day(30))
    assert (result["calendar"], result["fails"][0]["note"]) == ([], "waived until 9999-12-31 by ciso")


def test_what_is_in_use_and_not_valid_yet_fails_until_it_is(world: World, tmp_path: Path) -> None:
    early = {"name": "early", "host": "h", "contact": "me", "pem": Certificate(begins=20, ends=60).pem}
    asked = {"records": records(tmp_path / "r.json", early), "managed": False}
    (said,) = judged(world, **asked)["fails"]
    assert (said["code"], said["severity"]) == ("not_valid_yet", "warn")
    assert said["value"] == f"its certificate is not valid before {moment(20)[:16]}Z, and in use"
    assert [one["code"] for one in judged(world, **asked, findings=True)["findings"]] == ["not_valid_yet"]
    then = judged(world, **asked, as_of=day(21), findings=True)
    assert (then["fails"], then["findings"]) == ([], [])


def test_a_breach_that_another_policy_takes_more_seriously_changes(world: World, tmp_path: Path) -> None:
    later = policy(tmp_path / "later.yml", {"id": "keys", **OURS, "enforce_from": day(99)})
    now = policy(tmp_path / "now.yml", {"id": "keys", **OURS})
    found = judged(world, policy=later, compare_with=now)["difference"]
    assert found["totals"] == {"begins": 0, "ends": 0, "changes": 1, "both": 1}
    assert [one["severity"] for one in found["changes"]] == ["enforce"]
