# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is decided about the generations of a key, by tables: what backend and ledger have, and the acts."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._key_rotate.decide import decide
from ansible_collections.keystead.identity.plugins.plugin_utils._key_rotate.model import Kept, Known, There, Version
from ansible_collections.keystead.identity.plugins.plugin_utils._key_rotate.wanted import Wanted
from ansible_collections.keystead.identity.plugins.plugin_utils._rotation import Limits

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY, YEAR = timedelta(days=1), 365 * 86400
MONTH = 30 * 86400
LIMITS = Limits(NOW, max_age=YEAR)
LEAKED = Limits(NOW, created_before=NOW - DAY)


def wanted(**said: t.Any) -> Wanted:
    return Wanted("pkcs11", {"label": "signing"}, **said)


def has(*numbers: int, leads: int | None = None, **said: t.Any) -> There:
    versions = tuple(Version(f"k{number}", number, "ecdsa-p256") for number in numbers)
    return There("token", "key signing", versions, None if leads is None else f"k{leads}", **said)


def stopped(number: int) -> There:
    """Return a key that somebody disabled."""
    there = has(number, leads=number)
    return there._replace(versions=(there.versions[0]._replace(usable=False, stopped="disabled; enable it"),))


def kept(ages: t.Mapping[int, float], *gone: int, made: bool = True) -> tuple[Kept, ...]:
    """Return generations that became active so many days ago."""
    return tuple(
        Kept(f"k{number}", number, NOW - age * DAY, made, NOW if number in gone else None)
        for number, age in ages.items()
    )


def staged(ages: t.Mapping[int, float]) -> dict[int, datetime]:
    return {number: NOW - age * DAY for number, age in ages.items()}


def making(kept: tuple[Kept, ...], ages: t.Mapping[int, float]) -> Known:
    """Return what is known where a run made a generation and was cut off before it could say which key that is."""
    return Known(kept, staged(ages), begun=tuple(ages))


def prepared(kept: tuple[Kept, ...], number: int, age: float, uri: str | None = None) -> Known:
    """Return what is known where one was made, which the ledger has by its URI and public half."""
    return Known(kept, staged({number: age}), prepared={number: (uri or f"k{number}", None)})


def gone_early(ages: t.Mapping[int, float]) -> tuple[Kept, ...]:
    """Return three generations, the second of which went away before there was the third."""
    first, second, third = kept(ages)
    return first, second._replace(gone=NOW - (ages[3] + 1) * DAY), third


ROTATION = [("stage_key", 2), ("prove", 2), ("activate", 2)]
THIRD = [("stage_key", 3), ("prove", 3), ("activate", 3)]
CASES: dict[str, tuple[Wanted, There, Known, Limits, list[tuple[str, int]]]] = {
    "a young key stays": (wanted(), has(1), Known(kept({1: 10})), LIMITS, []),
    "one that nobody recorded is recorded": (wanted(), has(1), Known(), LIMITS, [("adopt", 1)]),
    "an old one is replaced": (wanted(), has(1), Known(kept({1: 366})), LIMITS, ROTATION),
    "one from before a moment too": (wanted(), has(1), Known(kept({1: 2})), LEAKED, ROTATION),
    "one from after it stays": (wanted(), has(1), Known(kept({1: 0.5})), LEAKED, []),
    "of one that was found nobody knows when it was made": (
        wanted(), has(1), Known(kept({1: 0.5}, made=False)), LEAKED, ROTATION,
    ),
    "by its age, one that was found is as old as its record": (
        wanted(), has(1), Known(kept({1: 0.5}, made=False)), LIMITS, [],
    ),
    "an age counts from the making and not from the record": (
        wanted(), has(1), Known(kept({1: 364}), staged({1: 366})), LIMITS, ROTATION,
    ),
    "what a killed run made goes on": (
        wanted(), has(1, 2), making(kept({1: 366}), {2: 0.1}), LIMITS, ROTATION[1:],
    ),
    "what was prepared takes over": (
        wanted(overlap=MONTH), has(1, 2), prepared(kept({1: 367}), 2, 31), LIMITS, ROTATION[1:],
    ),
    "where it was exchanged, another one is made, and that one is left alone": (
        wanted(), has(1, 2), prepared(kept({1: 366}), 2, 31, "other"), LIMITS, [("withdraw", 2), *THIRD],
    ),
    "where it went away, it is made again": (
        wanted(), has(1), prepared(kept({1: 366}), 2, 31), LIMITS, [("withdraw", 2), *ROTATION],
    ),
    "a number that was once begun makes nobody's key ours": (
        wanted(), has(1, 2), Known(kept({1: 366}), staged({2: 31})), LIMITS, THIRD,
    ),
    "unless it is from before the moment": (
        wanted(), has(1, 2), making(kept({1: 366}), {2: 2}), LEAKED, [("destroy", 2), *ROTATION],
    ),
    "a number is never used again": (
        wanted(), has(1), Known(kept({1: 366, 2: 300}, 2)), LIMITS, THIRD,
    ),
    "a number that somebody else took is left out": (
        wanted(), has(1, 2), Known(kept({1: 366}), users={"k2": ("the key signing.2",)}), LIMITS, THIRD,
    ),
    "a key between numbers that the ledger knows is somebody else's": (
        wanted(), has(1, 2, 3), Known(kept({1: 60, 3: 30})), LIMITS, [],
    ),
    "with an overlap it is made earlier, and waits": (
        wanted(overlap=MONTH), has(1), Known(kept({1: 336})), LIMITS, ROTATION[:2],
    ),
    "it waits until then": (
        wanted(overlap=MONTH), has(1, 2), making(kept({1: 360}), {2: 29}), LIMITS, [],
    ),
    "and takes over": (wanted(overlap=MONTH), has(1, 2), making(kept({1: 367}), {2: 31}), LIMITS, ROTATION[1:]),
    "what was replaced stays without a grace": (wanted(), has(1, 2), Known(kept({1: 900, 2: 300})), LIMITS, []),
    "and with one until that is over": (wanted(grace=MONTH), has(1, 2), Known(kept({1: 90, 2: 29})), LIMITS, []),
    "then it goes": (wanted(grace=MONTH), has(1, 2), Known(kept({1: 90, 2: 31})), LIMITS, [("destroy", 1)]),
    "unless somebody has it": (
        wanted(grace=MONTH), has(1, 2), Known(kept({1: 90, 2: 31}), users={"k1": ("identity web",)}), LIMITS, [],
    ),
    "and the task does not say that this is right": (
        wanted(grace=MONTH, destroy_in_use=True), has(1, 2),
        Known(kept({1: 90, 2: 31}), users={"k1": ("identity web",)}), LIMITS, [("destroy", 1)],
    ),
    "where only the oldest can go, one that stays keeps those after it": (
        wanted(grace=MONTH), has(1, 2, 3, leads=3, one_by_one=False),
        Known(kept({1: 90, 2: 60, 3: 40}), users={"k1": ("identity web",)}), LIMITS, [],
    ),
    "the one that was active in this run is not destroyed by it": (
        wanted(grace=0), has(1), Known(kept({1: 366})), LIMITS, ROTATION,
    ),
    "what is gone is no longer recorded, and the one before, which is tainted, gives way to another": (
        wanted(), has(1), Known(kept({1: 60, 2: 30})), LIMITS, [("withdraw", 2), *THIRD],
    ),
    "also in the next run": (wanted(), has(1), Known(kept({1: 60, 2: 30}, 2)), LIMITS, THIRD),
    "its grace begins when it gave way at last": (
        wanted(grace=MONTH), has(1, 3), Known(gone_early({1: 90, 2: 60, 3: 10})), LIMITS, [],
    ),
    "and ends then": (
        wanted(grace=MONTH), has(1, 3), Known(gone_early({1: 90, 2: 60, 3: 31})), LIMITS, [("destroy", 1)],
    ),
    "what a backend uses already is proved and recorded": (
        wanted(), has(1, 2, leads=2), making(kept({1: 366}), {2: 0.1}), LIMITS, ROTATION[1:],
    ),
    "what somebody else led it to is believed": (
        wanted(), has(1, 2, leads=2), Known(kept({1: 60})), LIMITS, [("adopt", 2)],
    ),
    "what a clock dated that was ahead is replaced, by its age": (
        wanted(), has(1), Known(kept({1: -2})), LIMITS, ROTATION,
    ),
    "and after an incident": (wanted(), has(1), Known(kept({1: -2})), LEAKED, ROTATION),
    "two clocks may differ by minutes": (wanted(), has(1), Known(kept({1: -4 / 1440})), LEAKED, []),
    "once, for the one that takes over is dated by a clock that is right": (
        wanted(), has(1, 2), Known(kept({1: -2, 2: 0}), staged({2: 0})), LEAKED, [],
    ),
    "older generations that the backend still uses are held": (
        wanted(), has(1, 2, leads=2, least=1), Known(kept({1: 60, 2: 30})), LIMITS, [("activate", 2)],
    ),
    "also those before one that somebody else made": (
        wanted(), has(1, 2, leads=2, least=1), Known(kept({1: 60})), LIMITS, [("adopt", 2), ("activate", 2)],
    ),
    "once": (wanted(), has(1, 2, leads=2, least=2), Known(kept({1: 60, 2: 30})), LIMITS, []),
    "what was stopped is replaced where that is due, without an overlap": (
        wanted(overlap=MONTH), stopped(1), Known(kept({1: 2})), LEAKED, ROTATION,
    ),
    "where it was led back, it is led on": (
        wanted(), has(1, 2, leads=1), Known(kept({1: 60, 2: 30})), LIMITS, [("activate", 2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_done(case: str) -> None:
    declared, there, known, limits, expected = CASES[case]
    acts = decide(declared, there, known._replace(seen=NOW, agreed=NOW), limits).acts
    assert [(act.action, act.number) for act in acts] == expected
    assert all(act.reason for act in acts)


def test_a_backend_whose_clock_is_late_makes_no_run_rotate_again() -> None:
    late = Version("k2", 2, "ecdsa-p256", made_at=NOW - 800 * DAY)
    there = There("place", "key", (late,), "k2")
    assert decide(wanted(), there, Known(kept({2: 1}), staged({2: 1})), LIMITS).acts == ()
    assert decide(wanted(), there, Known(kept({2: 1}, made=False)), LIMITS).acts != ()


@pytest.mark.parametrize(
    ("there", "known", "error", "said"),
    [
        (has(), Known(), Misconfigured, "there is no such key; make one first"),
        (has(1, 2), Known(), Misconfigured, "nobody knows which one is in use"),
        (has(1, 2), Known(kept({1: 9}, made=False)), Misconfigured, "nobody knows which one is in use"),
        (has(1, 2), Known(kept({1: 9})), Misconfigured, "there is k2 too, which the ledger does not know"),
        (has(1, 2, 3), Known(kept({1: 60, 2: 9})), Misconfigured, "there is k3 too, which the ledger does not know"),
        (has(2), Known(kept({1: 9})), Misconfigured, "there is k2 too, which the ledger does not know"),
        (has(1, 3), prepared(kept({1: 9}), 2, 1), Misconfigured, "there is k3 too, which the ledger does not know"),
        (stopped(1), Known(kept({1: 9})), Misconfigured, "generation 1 is disabled; enable it, or let it be replaced"),
        (has(1), Known(kept({1: 400}), users={"k1": ("identity web of web1",)}), Denied, "in use by identity web"),
        (
            There("t", "key", (Version("k1", 1, "aes-256", usable=False),)), Known(kept({1: 1})), Misconfigured,
            "generation 1 is of no use",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(there: There, known: Known, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        decide(wanted(), there, known, LIMITS)


@pytest.mark.parametrize(
    ("seen", "agreed", "acts", "begins"),
    [(None, None, 0, 1), (40, 40, 0, 1), (0, 40, 0, 0), (0.01, 0.05, 1, 0), (1, 1, 1, 0), (2, 2, 0, 1)],
)
def test_what_is_destroyed_for_ever_goes_by_no_clock_alone(
    seen: float | None, agreed: float | None, acts: int, begins: int
) -> None:
    """The grace of the first one was over a day and a half ago; the ledger knows runs from so many days ago."""
    moments = [None if age is None else NOW - age * DAY for age in (seen, agreed)]
    known = Known(kept({1: 90, 2: 31.5}), seen=moments[0], agreed=moments[1])
    plan = decide(wanted(grace=MONTH), has(1, 2), known, LIMITS)
    assert [(act.action, act.number) for act in plan.acts] == [("destroy", 1)] * acts
    assert (len(plan.waits), len(plan.begins)) == (1 - acts, begins)
