# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every ledger keeps of who trusts whom, and what it says of the certificates that peers have in use."""

from __future__ import annotations

import json
import typing as t
from datetime import timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import trusts
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.nouns import PeersNamed, Proved
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import (
    Delivered,
    Event,
    Outcome,
    RevokedChange,
    RolledBack,
    Withdrawn,
)
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    LIFE,
    LINKS,
    NOW,
    batch,
    intent,
    issued,
    outcome,
)

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.ledger import SqlLedger

SHOP = json.dumps([["service", "shop"]])


def publish(ledger: SqlLedger, host: str = "web1", number: int = 1, key: str = "", **said: t.Any) -> None:
    key = key or f"{host}{number}"
    ledger.intend(batch(host), [intent(number=number, key=key)._replace(**{"service": None, **said})])
    ledger.record(batch(host), [outcome(number=number, key=key)])


def in_use(ledger: SqlLedger, host: str = "web1") -> list[tuple[str, int]]:
    return [(row.host, row.generation) for row in trusts.peers(ledger, host, NOW)[0]]


def replace(ledger: SqlLedger, number: int, *, proved: bool = False) -> None:
    """Have a generation issued and installed, and its service told."""
    ledger.intend(batch(), [intent(number=number, key=f"web1{number}")])
    done = Delivered(LINKS, activated=True, proved=proved)
    ledger.record(batch(), [Outcome("web", number, (), (issued(number, f"web1{number}"), done))])


def tell(ledger: SqlLedger, change: t.Any, number: int | None = None) -> None:
    ledger.record(batch(), [Outcome("web", number, (Event("intend", "why"),), (change,))])


def test_whom_an_identity_trusts_is_remembered_and_may_change(ledger: SqlLedger) -> None:
    publish(ledger, trusts=SHOP)
    assert ledger.remembered("web1", "/srv/store")["web"].trusts == SHOP
    for said in ("[]", None):
        tell(ledger, PeersNamed(said))
        assert ledger.remembered("web1", "/srv/store")["web"].trusts == said


def test_only_named_peers_count_and_who_is_of_no_service_may_be_one(ledger: SqlLedger) -> None:
    publish(ledger, "web1", trusts=SHOP, service="desk")
    publish(ledger, "shop1", service="shop")
    publish(ledger, "mail1", service="mail")
    publish(ledger, "odd1")
    assert in_use(ledger) == [("odd1", 1), ("shop1", 1)]
    assert trusts.peers(ledger, "web1", NOW)[1] == ""
    assert trusts.peers(ledger, "mail1", NOW)[1] == "web of mail1 does not say whom it trusts"
    assert len(in_use(ledger, "mail1")) == 4
    assert trusts.peers(ledger, "new1", NOW)[1].startswith("the ledger has no identity of new1")


def test_peers_by_issuer_are_those_that_it_signed_for(ledger: SqlLedger) -> None:
    publish(ledger, "web1", issuer_id="local:b", trusts=json.dumps([["issuer", "local:a"]]))
    publish(ledger, "web2", issuer_id="local:a")
    assert in_use(ledger) == [("web2", 1)]
    publish(ledger, "web2", number=2, issuer_id="local:b")
    assert in_use(ledger) == []
    assert trusts.peers(ledger, "web1", NOW)[1] == "", "it is known, though nobody has anything of it any more"


@pytest.mark.parametrize("kind", ["service", "issuer"])
def test_a_name_that_the_ledger_never_heard_of_narrows_nothing(ledger: SqlLedger, kind: str) -> None:
    publish(ledger, "web1", trusts=json.dumps([[kind, "misspelt"]]))
    publish(ledger, "web2")
    rows, why, _any = trusts.peers(ledger, "web1", NOW)
    assert len(rows) == 2
    assert why == f"web of web1 trusts {kind} misspelt, which the ledger does not know"


def test_in_use_is_what_is_current_delivered_or_about_to_be(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.intend(batch(), [intent(number=2, key="bb")])
    assert in_use(ledger) == [("web1", 1)]
    ledger.record(batch(), [Outcome("web", 2, (), (issued(2, "bb"),))])
    assert in_use(ledger) == [("web1", 1), ("web1", 2)], "it may be installed at any moment"
    ledger.record(batch(), [Outcome("web", 2, (), (Delivered(LINKS, pending=True),))])
    assert in_use(ledger) == [("web1", 1), ("web1", 2)], "its service was not proved to have the new one"
    ledger.record(batch(), [Outcome("web", 2, (), (Delivered(LINKS, activated=True, proved=True),))])
    assert in_use(ledger) == [("web1", 2)]


def test_what_has_ended_was_revoked_or_withdrawn_is_not_in_use_and_what_was_released_is(ledger: SqlLedger) -> None:
    publish(ledger)
    assert trusts.peers(ledger, "web1", NOW + LIFE + timedelta(seconds=1))[0] == []
    tell(ledger, Withdrawn("released"))
    assert in_use(ledger) == [("web1", 1)]
    tell(ledger, RevokedChange("superseded", NOW), 1)
    assert in_use(ledger) == []
    publish(ledger, number=2)
    tell(ledger, Withdrawn("absent"))
    assert in_use(ledger) == []


def test_what_was_replaced_may_be_shown_until_another_one_is_proved(ledger: SqlLedger) -> None:
    publish(ledger)
    assert not ledger.remembered("web1", "/srv/store")["web"].unproved
    replace(ledger, 2)
    replace(ledger, 3)
    rows = trusts.peers(ledger, "web1", NOW).rows
    assert [(row.generation, row.replaced) for row in rows] == [(1, 1), (2, 1), (3, 0)]
    assert ledger.remembered("web1", "/srv/store")["web"].unproved
    tell(ledger, Proved(), 3)
    assert in_use(ledger) == [("web1", 3)]
    assert not ledger.remembered("web1", "/srv/store")["web"].unproved
    replace(ledger, 4, proved=True)
    assert in_use(ledger) == [("web1", 4)]


def test_what_came_back_and_was_proved_is_shown_alone(ledger: SqlLedger) -> None:
    publish(ledger)
    replace(ledger, 2)
    tell(ledger, RolledBack(1), 2)
    assert in_use(ledger) == [("web1", 1), ("web1", 2)], "whether its service went back with it, nothing showed"
    tell(ledger, Proved(), 1)
    assert in_use(ledger) == [("web1", 1)]


@pytest.mark.parametrize(("state", "left"), [("absent", []), ("released", [("web1", 1), ("web1", 2)])])
def test_what_was_replaced_goes_with_its_identity_and_stays_with_plain_files(
    ledger: SqlLedger, state: str, left: list[tuple[str, int]]
) -> None:
    publish(ledger)
    replace(ledger, 2)
    tell(ledger, Withdrawn(state))
    assert in_use(ledger) == left
    replace(ledger, 3)
    assert in_use(ledger) == [*left, ("web1", 3)]


def test_a_ledger_knows_somebody_until_the_last_certificate_ends(ledger: SqlLedger) -> None:
    assert not trusts.peers(ledger, "web1", NOW).knows_any
    publish(ledger)
    tell(ledger, RevokedChange("superseded", NOW), 1)
    assert trusts.peers(ledger, "web1", NOW)[0::2] == ([], True)
    assert not trusts.peers(ledger, "web1", NOW + LIFE + timedelta(seconds=1)).knows_any
