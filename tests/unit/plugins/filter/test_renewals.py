# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run may renew, by rows of the ledger and declarations."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.keystead.identity.plugins.filter.renewals import FilterModule

STORE = "/var/lib/keystead/identities"
WEB = {"name": "web"}  # 33% of 30 days, and up to a tenth of that earlier
CLOSED = {"windows": ["sat 02:00-06:00"]}


def row(days: float, host: str = "web1", **said: t.Any) -> dict[str, t.Any]:
    """Return a row whose certificate of 30 days began some days before the last day of November."""
    begin = f"2026-11-{30 - int(days):02}T00:00:00Z"
    end = f"2026-12-{30 - int(days):02}T00:00:00Z"
    facts = {"not_before": begin, "not_after": end, "fingerprint_sha256": f"{host}-{days}"}
    place = {"host": host, "name": "web", "store": STORE, "scope": None, "generation": 1}
    return {**place, "managed": True, "in_use": True, "revoked": None, "certificate": facts, **said}


def chosen(*rows: dict[str, t.Any], declared: t.Any = None, **said: t.Any) -> dict[str, list[tuple[str, str]]]:
    """Return which hosts are in each list, and why."""
    hosts = {"web1": [WEB], "web2": [WEB], "web3": [WEB]} if declared is None else declared
    renewals = FilterModule().filters()["renewals"]
    found = renewals(list(rows), declared=hosts, **{"now": "2026-11-30T00:00:00Z", **said})
    return {what: [(one["host"], one["why"]) for one in each] for what, each in found.items() if each}


@pytest.mark.parametrize(
    ("known", "said", "wanted"),
    [
        ("what is young is left alone", (row(5), {}), {}),
        ("what is due is renewed", (row(25), {}), {"selected": "it is due"}),
        (
            "what is due waits for a window", (row(25), CLOSED),
            {"waiting": "it is due; no window is open, until Sat 2026-12-05 02:00 UTC"},
        ),
        ("below the floor it waits for none", (row(29), CLOSED), {"selected": "it is below the floor"}),
        ("a floor may be a duration", (row(25), {**CLOSED, "floor": "5d"}), {"selected": "it is below the floor"}),
        ("the floor alone makes nothing due", (row(5), {"floor": "30d"}), {}),
        ("what ended is renewed", (row(25), {**CLOSED, "now": "2027-01-01T00:00:00Z"}), {"selected": "it ended"}),
        (
            "what is revoked is renewed", (row(1, revoked="superseded"), CLOSED),
            {"selected": "it is revoked (superseded)"},
        ),
        ("what has no end is never due", (row(25, certificate=None), {}), {}),
        ("another store is not meant", (row(25, store="/elsewhere"), {}), {}),
        ("a host may have its own store", (row(25, store="/x"), {"stores": {"web1": "/x"}}), {"selected": "it is due"}),
        ("a record is not ours", (row(25, managed=False), {}), {}),
        ("what is not in use is left alone", (row(25, in_use=False), {}), {}),
        ("a host that nobody declares is left alone", (row(25, host="web9"), {}), {}),
    ],
)  # fmt: skip
def test_what_is_due_is_renewed_or_waits(
    known: str, said: tuple[dict[str, t.Any], dict[str, t.Any]], wanted: dict[str, str]
) -> None:
    one, options = said
    assert chosen(one, **options) == {what: [("web1", why)] for what, why in wanted.items()}, known


def test_over_the_limit_what_ends_soonest_comes_first_and_what_is_revoked_before_it() -> None:
    rows = [row(22, "web1"), row(27, "web2"), row(26, "web4"), row(1, "web3", revoked="key_compromise")]
    assert chosen(*rows, declared={f"web{number}": [WEB] for number in (1, 2, 3, 4)}, at_most=3) == {
        "selected": [("web3", "it is revoked (key_compromise)"), ("web2", "it is due"), ("web4", "it is due")],
        "waiting": [("web1", "it is due; a run renews 3 at most, and it is the turn of others")],
    }


Rows = t.Sequence[dict[str, t.Any]]
LATER = "2026-12-09T00:00:00Z"  # what is of day 22 or later is still good, and of an earlier day ended


def runs(rows: Rows, at_most: int, gone: str, *, every: int = 60, number: int = 20) -> list[list[str]]:
    """Return whom each of some runs selects, which renews all of them but those whose host is gone."""
    left, selected = {one["host"]: one for one in rows}, []
    hosts = {host: [WEB] for host in left}
    for run in range(number):
        now = (dt.datetime.fromisoformat(LATER) + dt.timedelta(minutes=run * every)).isoformat()
        said = chosen(*left.values(), declared=hosts, at_most=at_most, now=now)
        selected.append([host for host, _why in said.get("selected", [])])
        left = {host: one for host, one in left.items() if host not in selected[-1] or host.startswith(gone)}
    return selected


def fleet(name: str, number: int, day: int, end: str | None = None, **said: t.Any) -> Rows:
    """Return one row for each of some hosts, which end on a day, or in December at a moment."""
    rows = [row(day, f"{name}{each}", **said) for each in range(number)]
    for one in rows if end else ():
        one["certificate"]["not_after"] = f"2026-12-{end}Z"
    return rows


@pytest.mark.parametrize("at_most", [1, 2, 4, 8])
@pytest.mark.parametrize(
    "gone",
    [
        fleet("gone", 20, 29),
        fleet("gone", 20, 2, revoked="key_compromise"),
        fleet("gone", 20, 29, revoked="key_compromise"),
        fleet("gone", 20, 17, "12T23:59:00"),
    ],
    ids=["that ended", "that are revoked", "that are revoked and ended", "that end a minute sooner"],
)
@pytest.mark.parametrize("every", [5, 60])
def test_twenty_hosts_that_are_gone_keep_nobody_else_from_being_renewed(gone: Rows, at_most: int, every: int) -> None:
    good = fleet("good", 6, 17, "13T00:00:00")
    taken = runs([*gone, *good], at_most, "gone", every=every, number=90)
    assert {one["host"] for one in good} <= {host for run in taken for host in run}


def test_what_ended_comes_after_what_is_good_with_a_quarter_of_the_limit_kept_for_it_by_turns() -> None:
    ended, good = fleet("ended", 30, 29), fleet("good", 200, 17, "13T00:00:00")
    taken = runs([*ended, *good], 8, "ended", number=25)
    assert {sum(host.startswith("ended") for host in run) for run in taken} == {2}
    assert len({host for run in taken for host in run if host.startswith("ended")}) > 20
    assert len({host for run in runs(ended, 8, "ended", number=25) for host in run}) == 30


def test_many_that_are_revoked_leave_a_quarter_to_what_is_good() -> None:
    revoked, good = fleet("revoked", 90, 1, revoked="superseded"), fleet("good", 90, 17, "13T00:00:00")
    first = runs([*revoked, *good], 8, "no", number=1)[0]
    assert [host.rstrip("0123456789") for host in first] == ["revoked"] * 6 + ["good"] * 2


def test_the_same_moment_chooses_the_same_ones() -> None:
    rows = fleet("web", 40, 17, "13T00:00:00")
    assert runs(rows, 5, "web", every=1, number=5) == runs([*reversed(rows)], 5, "web", number=1) * 5


def test_the_newest_generation_counts() -> None:
    assert chosen(row(29), row(2, generation=2)) == {}
    assert chosen(row(2), row(29, generation=2)) == {"selected": [("web1", "it is below the floor")]}


def test_what_a_host_does_not_declare_is_said_once_it_is_below_the_floor() -> None:
    declared = {"web1": [], "web2": [{**WEB, "state": "absent"}]}
    why = "it is below the floor, and is declared for no host of this inventory"
    assert chosen(row(29), row(25, "web2"), row(29, "web3"), declared=declared) == {"undeclared": [("web1", why)]}


@pytest.mark.parametrize(
    ("value", "said", "wanted"),
    [
        (["web"], {}, "the input is no list of rows of keystead.identity.identity_ledger_info"),
        (None, {}, "the input is no list of rows of keystead.identity.identity_ledger_info"),
        ([], {"at_most": "many"}, "at_most: 'many' is no number from 1 on"),
        ([], {"floor": "low"}, "floor: 'low' is not a duration"),
    ],
)
def test_what_cannot_be_meant_is_refused(value: t.Any, said: dict[str, t.Any], wanted: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(f"renewals: {wanted}")):
        FilterModule().filters()["renewals"](value, declared={"web1": [WEB]}, **said)
