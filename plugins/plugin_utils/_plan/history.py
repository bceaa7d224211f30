# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger knows of a plan: events under a name that no identity can have, of runs that name themselves.

So of two runs that begin at once, on whatever controllers, the one that the ledger heard first carries it out.
"""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

from .._actor import holder, is_dead
from .._ledger.moments import moment
from .._ledger.port import INTENT_HOLDS, Event, Outcome
from .compare import History

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .._ledger.chain import Readable
    from .._ledger.port import Batch

ACTION = "plan"
RUN = "run"
_EVENTS = """
SELECT h.at, e.outcome, h.actor FROM events e JOIN heads h ON h.batch = e.batch
WHERE e.identity = ? AND e.action = 'plan' ORDER BY e.seq
"""


class Records(t.Protocol):
    """What takes down what happens: a ledger, or the journal of an emergency."""

    def record(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Write it down."""


def history(ledger: Readable, digest: str) -> History:
    """Return what happened to the plan with this digest."""
    rows = ledger.read(_EVENTS, (_name(digest),))
    moments = [(f"{at[:19]}Z", outcome) for at, outcome, _actor in rows]
    begun = next((at for at, _outcome in moments), None)
    return History(begun, next((at for at, outcome in moments if outcome == "ok"), None))


def at_work(ledger: Readable, digest: str) -> str | None:
    """Return since when another run carries this plan out that began before this one, and may not have ended.

    One of this controller is asked for; of others nobody knows, so they are waited for, for as long as their intents.
    """
    begun: dict[str, str] = {}
    for at, outcome, actor in ledger.read(_EVENTS, (_name(digest),)):
        run = json.loads(actor).get(RUN, "{}")
        begun.pop(run, None)
        if outcome == "pending":
            begun[run] = at
    for run, at in begun.items():
        if run == _me():
            return None
        if not is_dead(json.loads(run)) and (datetime.now(UTC) - moment(at)).total_seconds() < INTENT_HOLDS:
            return f"{at[:19]}Z"
    return None


def record(ledger: Records, batch: Batch, digest: str, event: Event) -> None:
    """Write down that a plan is begun, or how it ended."""
    named = batch._replace(actor={**batch.actor, RUN: _me()})
    ledger.record(named, [Outcome(_name(digest), None, (event,))])


def _me() -> str:
    return json.dumps(holder(), sort_keys=True)


def _name(digest: str) -> str:
    return f"plan {digest}"
