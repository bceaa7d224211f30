# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger knows of a plan: events under a name that no identity can have."""

from __future__ import annotations

import typing as t

from .._ledger.port import Event, Outcome
from .compare import History

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .._ledger.chain import Readable
    from .._ledger.port import Batch

ACTION = "plan"
_EVENTS = """
SELECT h.at, e.outcome FROM events e JOIN heads h ON h.batch = e.batch
WHERE e.identity = ? AND e.action = 'plan' ORDER BY e.seq
"""


class Records(t.Protocol):
    """What takes down what happens: a ledger, or the journal of an emergency."""

    def record(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Write it down."""


def history(ledger: Readable, digest: str) -> History:
    """Return what happened to the plan with this digest."""
    rows = ledger.read(_EVENTS, (_name(digest),))
    moments = [(f"{at[:19]}Z", outcome) for at, outcome in rows]
    begun = next((at for at, _outcome in moments), None)
    return History(begun, next((at for at, outcome in moments if outcome == "ok"), None))


def record(ledger: Records, batch: Batch, digest: str, event: Event) -> None:
    """Write down that a plan is begun, or how it ended."""
    ledger.record(batch, [Outcome(_name(digest), None, (event,))])


def _name(digest: str) -> str:
    return f"plan {digest}"
