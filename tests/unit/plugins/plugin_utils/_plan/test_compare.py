# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The decision about a plan, as a table: what was planned, what is found, what the ledger knows, and what follows."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Step
from ansible_collections.keystead.identity.plugins.plugin_utils._plan.compare import (
    History,
    declared_otherwise,
    judge,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._plan.document import Entry, Plan

FRESH, BEGUN, DONE = History(), History("then"), History("then", "at last")
RENEWAL = (
    Step("stage_key", "it is due"), Step("issue", "it is due"), Step("publish", "generation 2 takes the place of 1"),
    Step("activate", "generation 2 is new"), Step("destroy", "generation 1 is superseded", "1"),
)  # fmt: skip
LEFT = (Step("activate", "generation 2 is in place, but its consumer was not told or not proved"), RENEWAL[4])
LINK = Step("link", "/a leads elsewhere", "/a")


def entry(*steps: Step, name: str = "web", **observed: t.Any) -> Entry:
    """Return an entry; without anything else, the first generation is current."""
    return Entry(name, {"generation": 1, "credential": "aa", **observed}, steps)


def plan(*entries: Entry, at: str = "2026-01-31T10:40:00Z") -> Plan:
    return Plan("machine_identity", "web1", "/store", {"identities[web]": "0"}, entries, at)


API = entry(LINK, name="api")
NEXT = {"generation": 2, "credential": "bb"}
ACTS: list[tuple[str, Plan, Plan, History, str]] = [
    ("the same", plan(entry(*RENEWAL)), plan(entry(*RENEWAL)), FRESH, ""),
    ("the same at another time", plan(entry(*RENEWAL)), plan(entry(*RENEWAL), at="later"), FRESH, ""),
    ("other words", plan(entry(*RENEWAL)), plan(entry(*(s._replace(reason="x") for s in RENEWAL))), FRESH, ""),
    ("the same, begun", plan(entry(*RENEWAL)), plan(entry(*RENEWAL)), BEGUN, ""),
    ("staged", plan(entry(*RENEWAL)), plan(entry(*RENEWAL, ledger={"newest": 2})), BEGUN, "left of it is done"),
    ("published", plan(entry(*RENEWAL)), plan(entry(*LEFT, **NEXT, pending=2)), BEGUN, "left of it is done"),
    ("half destroyed", plan(entry(*RENEWAL)), plan(entry(Step("destroy", "unfinished"), **NEXT)), BEGUN, "is done"),
    ("one done", plan(entry(*RENEWAL), API), plan(entry(**NEXT), API), BEGUN, "left of it is done"),
    ("all done", plan(entry(*RENEWAL), API), plan(entry(**NEXT), entry(name="api")), BEGUN, "left of it is done"),
]
RESTS: list[tuple[str, Plan, Plan, History, str]] = [
    ("nothing planned", plan(entry()), plan(entry()), FRESH, "has no steps"),
    ("carried out", plan(entry(*RENEWAL)), plan(entry(**NEXT)), DONE, "was carried out at at last; nothing is left"),
]
REFUSED: list[tuple[str, Plan, Plan, History, str]] = [
    ("another generation", plan(entry(*RENEWAL)), plan(entry(*RENEWAL, **NEXT)), FRESH, "web: generation was 1, is 2"),
    ("renewed by others", plan(entry(*RENEWAL)), plan(entry(**NEXT)), FRESH, "not needed any more is to issue (it is"),
    ("due since", plan(entry()), plan(entry(*RENEWAL)), FRESH, "web: not planned is to stage_key (it is due)"),
    ("nothing planned, damaged", plan(entry()), plan(entry(damage=["x is gone"])), FRESH, "damage has x is gone now"),
    ("mended by others", plan(entry(damage=["x"])), plan(entry()), FRESH, "web: damage no longer has x"),
    ("a fact of the ledger", plan(entry(ledger={"newest": 1})), plan(entry(ledger={"newest": 2})), FRESH,
     "web: ledger: newest was 1, is 2"),
    ("a fact that was none", plan(entry()), plan(entry(key_uri="pkcs11:a")), FRESH, "key uri was none, is pkcs11:a"),
    ("another path", plan(entry(LINK)), plan(entry(LINK._replace(about="/b"))), FRESH, "not planned is to link"),
    ("one more", plan(entry()), plan(entry(), API), FRESH, "api was not planned"),
    ("one less", plan(entry(), API), plan(entry()), FRESH, "api was planned, and is not there any more"),
    ("carried out, and more", plan(entry(*RENEWAL)), plan(entry(*RENEWAL)), DONE,
     "was carried out at at last, and is carried out once only; since then there is more to do: web: stage_key (it is"),
    ("unfinished", plan(entry(*RENEWAL)), plan(entry(Step("destroy", "half"))), FRESH, "not planned is to destroy"),
    ("begun, and a link", plan(entry(*RENEWAL)), plan(entry(LINK, **NEXT)), BEGUN, "web: not planned is to link (/a"),
    ("begun, and due again", plan(entry(*RENEWAL)), plan(entry(*RENEWAL, **NEXT)), BEGUN, "not planned is to issue"),
    ("begun, and one more", plan(entry(*RENEWAL)), plan(entry(*RENEWAL), API), BEGUN, "api was not planned"),
]  # fmt: skip


def cases(table: list[tuple[str, Plan, Plan, History, str]]) -> t.Any:
    return pytest.mark.parametrize(
        ("planned", "now", "known", "told"), [pytest.param(*case[1:], id=case[0]) for case in table]
    )


@cases(ACTS)
def test_a_plan_that_is_true_or_begun_is_carried_out(planned: Plan, now: Plan, known: History, told: str) -> None:
    verdict = judge(planned, now, known)
    assert (verdict.acts, verdict.refused) == (True, "")
    assert told in verdict.told


@cases(RESTS)
def test_where_nothing_is_left_to_do_nothing_is_done(planned: Plan, now: Plan, known: History, told: str) -> None:
    verdict = judge(planned, now, known)
    assert (verdict.acts, verdict.refused) == (False, "")
    assert told in verdict.told


@cases(REFUSED)
def test_what_is_not_as_planned_is_refused_with_what_differs(
    planned: Plan, now: Plan, known: History, told: str
) -> None:
    verdict = judge(planned, now, known)
    assert (verdict.acts, verdict.told) == (False, "")
    assert told in verdict.refused


def test_of_many_differences_a_few_are_shown_and_the_rest_counted() -> None:
    one, many = plan(), plan(*(entry(name=f"n{number}") for number in range(9)))
    assert judge(one, many, FRESH).refused == (
        "is stale: n0 was not planned; n1 was not planned; n2 was not planned; n3 was not planned; n4 was not planned; "
        "and 4 more"
    )


@pytest.mark.parametrize(
    ("declared", "otherwise"),
    [
        ({"identities[web]": "0"}, []),
        ({"identities[web]": "1"}, ["identities[web]"]),
        ({"identities[web]": "0", "scope": "2"}, ["scope"]),
        ({}, ["identities[web]"]),
    ],
)
def test_an_option_that_was_changed_added_or_left_out_is_named(
    declared: dict[str, str], otherwise: list[str]
) -> None:
    assert declared_otherwise(plan(), declared) == otherwise
