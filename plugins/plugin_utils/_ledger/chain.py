# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The chain of events: every event's hash covers its predecessor's, over canonical JSON (RFC 8785), rule A2.

The first event follows the id of the ledger, so that events of another ledger do not fit. Removing the last batches
with their heads leaves a shorter chain that is whole: heads that were shipped elsewhere show it (rule A3).
"""

from __future__ import annotations

import typing as t

from .._canonical import canonical
from .entry import Entry, digest
from .moments import stamp
from .port import Event
from .walk import Broken, Point, Walk, walked

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .port import Batch, Intent, Outcome
    from .sql import Connection

_HEAD = "INSERT INTO heads (batch, at, host, store, actor, seq, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
_EVENT = """
INSERT INTO events (seq, batch, identity, generation, action, reason, outcome, message, milliseconds, attempts, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
Told = tuple[str, int | None, Event]
"""An event with whose it is: the name of an identity, and the number of its generation."""


class Readable(t.Protocol):
    """A ledger that can be queried."""

    id: str | None

    def read(self, statement: str, parameters: tuple[t.Any, ...] = ()) -> list[tuple[t.Any, ...]]:
        """Return the rows of one statement."""


def intended(intents: Sequence[Intent]) -> Iterator[Told]:
    """Return the events of intents."""
    return ((intent.name, intent.number, Event("intend", intent.reason, "pending")) for intent in intents)


def happened(outcomes: Sequence[Outcome]) -> Iterator[Told]:
    """Return the events of outcomes."""
    return ((outcome.name, outcome.number, event) for outcome in outcomes for event in outcome.events)


def append(connection: Connection, batch: Batch, entries: Iterable[Told]) -> None:
    """Add the events of one batch, and its head."""
    last, link = connection.execute(
        "SELECT coalesce(max(seq), 0), coalesce((SELECT hash FROM events ORDER BY seq DESC LIMIT 1),"
        " (SELECT value FROM meta WHERE key = 'id')) FROM events",
    ).fetchone()
    number = connection.execute("SELECT coalesce(max(batch), 0) + 1 FROM heads").fetchone()[0]
    actor = {key: value and _clean(value) for key, value in batch.actor.items()}
    head = (number, stamp(batch.at), batch.host, batch.store, canonical(actor, "ledger").decode())
    rows = []
    for seq, (name, generation, event) in enumerate(entries, start=last + 1):
        told = (name, generation, event.action, _clean(event.reason), event.outcome, _clean(event.message),
                round(event.seconds * 1000), event.attempts)
        link = digest(link, Entry._make((seq, *head, *told)))
        rows.append((seq, number, *told, link))
    if rows:
        connection.execute(_HEAD, (*head, rows[-1][0], link))
        connection.executemany(_EVENT, rows)


def _clean(text: str) -> str:
    """Return text as every database can hold it: what hosts and backends say may have lone surrogates, and NULs."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def verify(ledger: Readable) -> str | None:
    """Walk the chain; name the first record that is broken, or return None when all are whole (rule A4)."""
    walk = Walk(Point(0, str(ledger.id)))
    try:
        for _entry in walked(ledger, walk):
            pass
    except Broken as found:
        return str(found)
    return None
