# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is said of an order that waits, and what the ledger is told of one of an earlier run that is over (ADR 19)."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._core.errors import Lost, Pending
from ..module_utils._core.ports import Order
from ._accepting import backend
from ._durations import shown
from ._issuers.facts import facts_of
from ._ledger.moments import moment
from ._ledger.nouns import Cleared
from ._ledger.port import Event, Orphaned, Outcome, Refused
from ._ledger.queries import ordered_at, placed
from ._signed import names_before

if t.TYPE_CHECKING:
    from ..module_utils._core.challenge import Shows
    from ..module_utils._core.errors import KeysteadError
    from ._ledger.chain import Readable
    from ._ledger.port import Batch, Ledger
    from ._work import Work

_COARSER = ((2 * 86400, 86400), (2 * 3600, 3600), (120, 60), (0, 1))  # from so many seconds on, in these


def where(reference: str) -> str:
    """Return the URL of an order, of what an issuer needs to go on with it."""
    return reference.partition("#")[0]


def event_of(reference: str) -> str:
    """Return how the ledger tells of an order when it is begun."""
    return f"order {where(reference)}"


def pending(work: Work, order: Order, ledger: Readable, batch: Batch) -> Pending:
    """Return what is said of an order that its issuer has not decided on: where it is, and since when it waits."""
    issuer_id = work.issuer.id if work.issuer else ""
    said = f"{backend(issuer_id)}: it has not decided on {work.name} yet"
    if facts_of(issuer_id).answers_later:
        url = where(order.reference)
        begun = ordered_at(ledger, batch.host, batch.store, work.name, event_of(url))
        since = moment(begun) if begun else batch.at
        said += f": its order {url} waits since {_told(since)}"
    elif (opened := work.remembered.open_intent if work.remembered else None) is not None:
        same = (opened.issuer_id, opened.number, opened.public_id) == (issuer_id, work.number, work.public_id)
        said += f", since {_told(opened.since)}" if same else ""
    return Pending(f"{said}; run again later", order.retry_after)


def _told(since: datetime) -> str:
    return f"{since:%Y-%m-%d %H:%M} UTC, for {age((datetime.now(UTC) - since).total_seconds())}"


def age(seconds: float) -> str:
    """Return how long something lasts in the words of an option, without more than one can take in: `90s`, `3h`."""
    whole = max(0, int(seconds))
    unit = next(unit for start, unit in _COARSER if whole >= start)
    return f"{whole}s" if unit == 1 else shown(whole // unit * unit)


def over(work: Work, order: Order, error: KeysteadError) -> tuple[str, Outcome]:
    """Return why an order of an earlier run is over, and its end: refused, or an orphan where it may be signed."""
    why, url = str(error).rpartition("; ")[0], where(order.reference)  # the remedy is taken by this very run
    why += "" if url in why else f" (its order was {url})"
    lost = isinstance(error, Lost)
    said = f"{why}; it may be signed, for key {work.public_id} and {names_before(work)}" if lost else why
    event = Event("issue", work.reason("issue"), "orphaned" if lost else "failed", said)
    return why, Outcome(work.name, work.number, (event,), (Orphaned() if lost else Refused(),))


def clear(issuer: Shows, names: t.Sequence[str], answers: t.Sequence[object], ledger: Ledger, batch: Batch) -> None:
    """Let what was placed for orders of these identities be taken away, but for those that go on."""
    going_on = {where(one.reference) for one in answers if isinstance(one, Order)}
    over = [
        (name, reference)
        for name, reference in placed(t.cast("Readable", ledger), batch.host, batch.store)
        if name in names and where(reference) not in going_on
    ]
    gone = set(issuer.clear([reference for _name, reference in over])) if over else set()
    if gone:
        ledger.record(batch, [
            Outcome(name, None, (), (Cleared(reference, where(reference)),))
            for name, reference in over if reference in gone
        ])  # fmt: skip
