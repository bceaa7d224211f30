# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Goes along the chain of events, and stops at the first that is not what was written (rule A4)."""

from __future__ import annotations

import typing as t

from .entry import Entry, called, digest

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .chain import Readable

_COLUMNS = (
    "e.seq, e.batch, h.at, h.host, h.store, h.actor, e.identity, e.generation, e.action, e.reason, e.outcome,"
    " e.message, e.milliseconds, e.attempts, e.hash, h.seq, h.hash"
)
_WALK = f"""
SELECT {_COLUMNS} FROM events e LEFT JOIN heads h ON h.batch = e.batch WHERE e.seq > ? ORDER BY e.seq LIMIT 2000
"""  # noqa: S608 - ours
_BEFORE = "SELECT min(seq) FROM events WHERE seq <= ?"
_HEAD_BEFORE = "SELECT min(batch) FROM heads WHERE seq <= ?"
_WITHOUT_EVENTS = "SELECT min(batch) FROM heads WHERE batch NOT IN (SELECT batch FROM events)"


class Broken(Exception):
    """The first record that is not what was written, as a sentence."""


class Point(t.NamedTuple):
    """An event in the chain: its number, and its hash. Before the first one stands the id of the ledger, with 0."""

    seq: int
    hash: str


class Walk:
    """Where one is in the chain. `expected` are hashes that somebody else vouches for, by number, and who that is."""

    def __init__(self, start: Point, expected: Mapping[int, tuple[str, str]] | None = None) -> None:
        """Begin behind an event."""
        self.at, self._expected = start, dict(expected or {})

    def step(self, entry: Entry, found: str) -> None:
        """Take the next event, and the hash that it says it has. Raises Broken."""
        self._check_is_next(entry)
        try:
            computed = digest(self.at.hash, entry)
        except (TypeError, ValueError):  # what no release has written
            computed = ""
        if computed != found:
            raise Broken(f"{called(entry)} is not what was written")
        self.accept(entry, found)

    def accept(self, entry: Entry, found: str) -> None:
        """Take the next event, whose hash was computed from what stands there. Raises Broken."""
        self._check_is_next(entry)
        self.at = Point(entry.seq, found)
        vouched = self._expected.pop(entry.seq, None)
        if vouched is not None and vouched[0] != found:
            raise Broken(f"{called(entry)}, or one before it, was written anew: {vouched[1]} has another hash for it")

    def end(self) -> None:
        """Say that there is no more. Raises Broken where somebody knows of more."""
        missing = sorted(seq for seq in self._expected if seq > self.at.seq)
        if missing:
            who = self._expected[missing[-1]][1]
            raise Broken(f"event {self.at.seq + 1} is missing, and all after it: {who} knows of {missing[-1]} events")

    def _check_is_next(self, entry: Entry) -> None:
        if entry.seq == self.at.seq + 1:
            return
        if isinstance(entry.seq, int) and entry.seq <= self.at.seq:
            raise Broken(f"event {entry.seq} stands behind event {self.at.seq}")
        raise Broken(f"event {self.at.seq + 1} is missing")


def walked(ledger: Readable, walk: Walk) -> Iterator[tuple[Entry, str]]:
    """Yield the events of a ledger with their hashes, each once it was found to be whole. Raises Broken."""
    _check_beginning(ledger, walk.at)
    head = _Head(0, walk.at.seq, walk.at.hash)
    while rows := ledger.read(_WALK, (walk.at.seq,)):
        for *fields, found, seq, linked in rows:
            entry = Entry(*fields)
            if entry.seq == walk.at.seq + 1 and entry.batch != head.batch:
                head.check(walk.at)
                head = _Head(entry.batch, seq, linked)
                if seq is None:
                    raise Broken(f"the head of batch {entry.batch} is missing, at event {entry.seq}")
            walk.step(entry, found)
            yield entry, found
    head.check(walk.at)
    ((batch,),) = ledger.read(_WITHOUT_EVENTS)
    if batch:
        raise Broken(f"the events of batch {batch} are missing")


def _check_beginning(ledger: Readable, start: Point) -> None:
    """Raise Broken for what stands where no event of the ledger can be: every query would believe it."""
    ((event,),) = ledger.read(_BEFORE, (start.seq,))
    if event is not None:
        raise Broken(f"event {event} stands before the first one, {start.seq + 1}")
    ((batch,),) = ledger.read(_HEAD_BEFORE, (start.seq,))
    if batch is not None:
        raise Broken(f"the head of batch {batch} is of no event that is there")


class _Head(t.NamedTuple):
    """What a batch says of its last event."""

    batch: int
    seq: t.Any
    hash: t.Any

    def check(self, last: Point) -> None:
        """Raise Broken where that is another than the last that was read."""
        if isinstance(self.seq, int) and self.seq > last.seq:
            raise Broken(f"event {last.seq + 1} is missing")
        if (self.seq, self.hash) != last:
            raise Broken(f"the head of batch {self.batch} is not its last event, {last.seq}")
