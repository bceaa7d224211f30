# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every ledger remembers of requests that came to no end."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.asked import Asked
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import (
    Orphaned,
    Outcome,
    Refused,
    Remembered,
    RolledBack,
)
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    batch,
    intent,
    issued,
    outcome,
)

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.ledger import SqlLedger


def publish(ledger: SqlLedger, number: int = 1, key: str = "aa") -> None:
    ledger.intend(batch(), [intent(number=number, key=key)])
    ledger.record(batch(), [outcome(number=number, key=key)])


def web(ledger: SqlLedger) -> Remembered:
    return ledger.remembered("web1", "/srv/store")["web"]


@pytest.mark.parametrize(
    ("change", "doubted"),
    [(None, [2]), (Orphaned(), [2]), (issued(2, "bb"), [2]), (Refused(), []), (Refused(asked=False), [])],
)
def test_what_was_asked_for_last_is_remembered_and_whether_the_published_one_may_be_replaced(
    ledger: SqlLedger, change: t.Any, doubted: list[int]
) -> None:
    publish(ledger)
    assert (web(ledger).doubted, web(ledger).asked) == (False, Asked("aa", "current", "local:/srv/ca/issuing", None))
    ledger.intend(batch(), [intent(number=2, key="bb")._replace(asked="{}")])
    ledger.record(batch(), [Outcome("web", 2, (), (change,) if change else ())])
    state = {Orphaned: "orphaned", Refused: "refused"}.get(type(change), "issued" if change else "intended")
    kept = None if change == Refused(asked=False) else "{}"
    assert web(ledger).asked == Asked("bb", state, "local:/srv/ca/issuing", kept)
    assert web(ledger).doubted is bool(doubted)
    publish(ledger, 3, "cc")
    assert web(ledger).doubted is False


def test_a_generation_that_was_given_up_leaves_the_one_before_in_doubt(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.intend(batch(), [intent(number=2, key="bb")])
    ledger.record(batch(), [Outcome("web", 2, (), (issued(2, "bb"), RolledBack(1)))])
    assert (web(ledger).generation, web(ledger).doubted) == (1, True)
    publish(ledger, 3, "cc")
    ledger.intend(batch(), [intent(number=4, key="dd")._replace(issuer_id="local:/srv/ca/other")])
    assert web(ledger).doubted is False, "another issuer revokes nothing of this one"
