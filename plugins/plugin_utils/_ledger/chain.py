# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The chain of events: every event's hash covers its predecessor's, over canonical JSON (RFC 8785), rule A2.

The first event follows the id of the ledger, so that events of another ledger do not fit. Removing the last batches
with their heads leaves a shorter chain that is whole: heads that were shipped elsewhere show it (rule A3).
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from .._canonical import canonical
from .moments import stamp
from .port import Event

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .port import Batch, Intent, Outcome
    from .sql import Connection

Entry = tuple[str, int | None, Event]
_FIELDS = (
    "seq", "batch", "at", "host", "store", "actor", "identity", "generation", "action", "reason", "outcome", "message",
    "milliseconds", "attempts",
)
_WALK = """
SELECT e.seq, e.batch, h.at, h.host, h.store, h.actor, e.identity, e.generation, e.action, e.reason, e.outcome,
       e.message, e.milliseconds, e.attempts, e.hash, h.seq, h.hash
FROM events e LEFT JOIN heads h ON h.batch = e.batch WHERE e.seq > ? ORDER BY e.seq LIMIT 1000
"""


class Readable(t.Protocol):
    """A ledger that can be queried."""

    id: str | None

    def read(self, statement: str, parameters: tuple[t.Any, ...] = ()) -> list[tuple[t.Any, ...]]:
        """Return the rows of one statement."""


def intended(intents: Sequence[Intent]) -> Iterator[Entry]:
    """Return the events of intents."""
    return ((intent.name, intent.number, Event("intend", intent.reason, "pending")) for intent in intents)


def happened(outcomes: Sequence[Outcome]) -> Iterator[Entry]:
    """Return the events of outcomes."""
    return ((outcome.name, outcome.number, event) for outcome in outcomes for event in outcome.events)


def append(connection: Connection, batch: Batch, entries: Iterable[Entry]) -> None:
    """Add the events of one batch, and its head."""
    last, link = connection.execute(
        "SELECT coalesce(max(seq), 0), coalesce((SELECT hash FROM events ORDER BY seq DESC LIMIT 1),"
        " (SELECT value FROM meta WHERE key = 'id')) FROM events",
    ).fetchone()
    number = connection.execute("SELECT coalesce(max(batch), 0) + 1 FROM heads").fetchone()[0]
    actor = {key: value and _clean(value) for key, value in batch.actor.items()}
    head = (number, stamp(batch.at), batch.host, batch.store, _canonical(actor).decode())
    rows = []
    for seq, (name, generation, event) in enumerate(entries, start=last + 1):
        told = (name, generation, event.action, _clean(event.reason), event.outcome, _clean(event.message),
                round(event.seconds * 1000), event.attempts)
        link = _hash(link, (seq, *head, *told))
        rows.append((seq, number, *told, link))
    if rows:
        connection.execute("INSERT INTO heads VALUES (?, ?, ?, ?, ?, ?, ?)", (*head, rows[-1][0], link))
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _clean(text: str) -> str:
    """Return text as every database can hold it: what hosts and backends say may have lone surrogates, and NULs."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def _hash(link: str, row: Sequence[t.Any]) -> str:
    record = dict(zip(_FIELDS, row, strict=True))
    record["actor"] = json.loads(record["actor"])
    return hashlib.sha256(_canonical({"prev": link, **record})).hexdigest()


def _canonical(value: dict[str, t.Any]) -> bytes:
    return canonical(value, "ledger")


def verify(ledger: Readable) -> str | None:
    """Walk the chain; name the first record that is broken, or return None when all are whole (rule A4)."""
    last, link, head = 0, str(ledger.id), Head(0, 0, "")
    while rows := ledger.read(_WALK, (last,)):
        for row in rows:
            found = _broken(row, last, link, head)
            if found:
                return found
            last, link, head = row[0], row[14], Head(row[1], row[15], row[16])
    return _broken_head(head, last, link) or _left_over(ledger)


class Head(t.NamedTuple):
    """What a batch says of its last event."""

    batch: int
    seq: int
    hash: str


def _broken(row: tuple[t.Any, ...], last: int, link: str, head: Head) -> str | None:
    seq, batch = row[:2]
    if seq != last + 1:
        return f"event {last + 1} is missing"
    if batch != head.batch and (found := _broken_head(head, last, link)):
        return found
    if row[15] is None:
        return f"the head of batch {batch} is missing, at event {seq}"
    if _hash(link, row[:14]) != row[14]:
        return f"event {seq} ({row[8]} of {row[6]} on {row[3]}) is not what was written"
    return None


def _broken_head(head: Head, last: int, link: str) -> str | None:
    if head.seq > last:
        return f"event {last + 1} is missing"
    if head.batch and (head.seq, head.hash) != (last, link):
        return f"the head of batch {head.batch} is not its last event, {last}"
    return None


def _left_over(ledger: Readable) -> str | None:
    ((batch,),) = ledger.read("SELECT min(batch) FROM heads WHERE batch NOT IN (SELECT batch FROM events)")
    return f"the events of batch {batch} are missing" if batch else None
