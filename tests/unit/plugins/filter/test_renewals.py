# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run may renew, by rows of the ledger and declarations."""

from __future__ import annotations

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
    rows = [row(25, "web1"), row(27, "web2"), row(1, "web3", revoked="key_compromise")]
    assert chosen(*rows, at_most=2) == {
        "selected": [("web3", "it is revoked (key_compromise)"), ("web2", "it is due")],
        "waiting": [("web1", "it is due; a run renews 2 at most, and others end sooner")],
    }


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
