# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which keys are too old, and that they, and no others, are replaced: over a real issuer, ledger and store."""

from __future__ import annotations

import contextlib
import sqlite3
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._rotation import (
    check_present,
    due,
    made_before,
)
from ansible_collections.keystead.identity.tests.harness.in_process import World, from_now_on, reason, steps, web

if t.TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RENEWAL = ["stage_key", "issue", "publish", "destroy"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ({"max_age": "90d"}, NOW - 90 * DAY),
        ({"created_before": "2026-05-31T10:00:00Z"}, datetime(2026, 5, 31, 10, tzinfo=UTC)),
        ({"created_before": "2026-05-31 10:00:00+02:00"}, datetime(2026, 5, 31, 8, tzinfo=UTC)),
        ({"max_age": "1d", "created_before": "2026-05-01T00:00:00Z"}, NOW - DAY),
        ({"max_age": "90d", "created_before": "2026-05-01T00:00:00Z"}, datetime(2026, 5, 1, tzinfo=UTC)),
    ],
)
def test_the_later_one_of_both_options_counts(said: dict[str, str], moment: datetime) -> None:
    assert made_before(said, NOW) == moment


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "neither max_age nor created_before says which keys are too old; write max_age: 90d for example"),
        ({"max_age": "0d"}, "option max_age: 0d would replace every key in every run"),
        ({"max_age": "soon"}, "option max_age: 'soon' is not a duration; write a number"),
        ({"created_before": "yesterday"}, "option created_before: 'yesterday' is no moment with an offset from UTC"),
        ({"created_before": "2026-05-31T10:00:00"}, "is no moment with an offset from UTC; write for example 2026-"),
        ({"created_before": "0001-01-01T00:00:00+23:00"}, "is no moment with an offset from UTC; write"),
        ({"created_before": "2026-06-01T12:00:01Z"}, "is to come, so every run would replace every key until then"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(said: dict[str, str], message: str) -> None:
    with pytest.raises(Misconfigured, match=r"^key_rotate: ") as refused:
        made_before(said, NOW)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"state": "absent", "generation": None}, "identities[web].state: absent gets no new key"),
        ({"state": "present", "generation": "previous"}, "identities[web].generation: previous has an older key"),
    ],
)
def test_what_gets_no_new_key_is_refused(said: dict[str, t.Any], message: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        check_present([{"name": "web", **said}])
    assert message in str(refused.value)


def test_an_old_key_is_replaced_once_and_a_young_one_never(world: World) -> None:
    world.one(web())
    old, moment = world.certificate().public_key(), from_now_on()
    done = world.settled([web()], made_before=moment)["identities"][0]
    assert steps(done) == RENEWAL
    assert reason(done).startswith("its key is from ")
    assert world.certificate().public_key() != old
    assert world.settled([web(), web(name="api")], made_before=moment)["identities"][0]["steps"] == []


def test_a_certificate_that_is_dated_back_makes_no_key_old(world: World) -> None:
    """Many authorities date back by up to an hour: a key would be replaced in every run until that has passed."""
    moment = from_now_on()
    world.settled([web()], made_before=moment)
    assert world.certificate().not_valid_before_utc < moment
    assert world.remembered().key_since >= moment


def test_a_key_that_was_staged_but_never_recorded_gives_way(world: World) -> None:
    """Nobody knows when a killed run made it: perhaps before the incident."""
    world.one(web())
    staged: list[dict[str, t.Any]] = []

    def killed(arguments: t.Mapping[str, t.Any]) -> t.Any:
        staged.append(world.execute(arguments))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.converge([web(lifetime="20d")], execute=killed)
    waiting = staged[0]["identities"][0]["public_id"]
    world.settled([web()], made_before=from_now_on())
    assert world.remembered().public_id != waiting


def test_a_key_that_was_recorded_after_that_moment_is_used_by_the_next_run(world: World) -> None:
    world.one(web())
    moment, asked = from_now_on(), list[str]()

    def killed(arguments: t.Mapping[str, t.Any]) -> t.Any:
        if arguments["phase"] == "install":
            raise KeyboardInterrupt
        answer = world.execute(arguments)
        asked.append(answer["identities"][0]["public_id"])
        return answer

    with pytest.raises(KeyboardInterrupt):
        world.converge([web()], execute=killed, made_before=moment)
    world.settled([web()], made_before=moment)
    assert [world.remembered().public_id] == asked
    assert len(world.issued()) == 2


def test_without_a_record_a_key_is_as_old_as_its_certificate(world: World) -> None:
    world.one(web())
    world.ledger.unlink()
    moment = world.certificate().not_valid_before_utc
    (world.store / ".keystead.json").unlink()  # says of which ledger the store is
    assert world.one(web(), made_before=moment)["steps"] == []
    assert steps(world.one(web(), made_before=moment + timedelta(seconds=1))) == RENEWAL


def test_who_rotates_takes_nothing_out_of_a_scope(world: World) -> None:
    world.one(web(), scope="shop")
    world.one(web(), made_before=from_now_on())
    assert world.remembered().scope == "shop"


def test_a_key_that_a_clock_dated_which_was_ahead_is_replaced_once_and_the_ledger_says_that_it_is_due(
    world: World,
) -> None:
    moment = from_now_on()
    world.one(web())
    with contextlib.closing(sqlite3.connect(world.ledger)) as database, database:
        database.execute("UPDATE generations SET intended_at = ?", (f"{datetime.now(UTC) + 2 * DAY:%FT%T.000Z}",))
    said = {"max_age": None, "host": None, "store": None, "overlap": "0s", "created_before": f"{moment:%FT%TZ}"}
    (ahead,) = due({"ledger": world.url}, ["web"], said, world.host)
    assert (ahead["due"], "nobody knows when its key was made" in ahead["reason"]) == (True, True)
    done = world.settled([web()], made_before=moment)["identities"][0]
    assert steps(done) == RENEWAL
    assert reason(done) == ahead["reason"]
    (young,) = due({"ledger": world.url}, ["web"], said, world.host)
    assert not young["due"]


def test_the_ledger_says_what_is_due_since_when_and_why(world: World) -> None:
    world.converge([web(), web(name="api")])
    world.one(web(name="api", state="absent"))
    said = {"max_age": None, "host": None, "store": None, "overlap": "0s"}
    young, gone = due(
        {"ledger": world.url}, ["web", "api"], {**said, "max_age": "1d", "created_before": None}, world.host
    )
    assert (young["due"], young["key_type"], young["custody"]) == (False, "ecdsa-p256", "file")
    assert young["reason"].startswith(f"its key is from {young['since'][:10]} ")
    assert (gone["due"], gone["since"], gone["reason"]) == (False, None, "it has no key: it is absent")
    (old,) = due({"ledger": world.url}, ["web"], {**said, "created_before": f"{from_now_on():%FT%TZ}"}, world.host)
    assert old["due"]
    assert old["reason"].startswith(f"its key is from {young['since'][:10]} ")
    with pytest.raises(Misconfigured, match=r"^key_rotate: the ledger knows no identity 'wep' of host .* did you mean"):
        due({"ledger": world.url}, ["wep"], {**said, "max_age": "1d", "created_before": None}, world.host)
