# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger has of its checkpoints: which were signed, where each was shipped to, and what was archived."""

from __future__ import annotations

import typing as t

from ...module_utils._core.keys import public_pem, spki
from .._ledger.moments import now
from .._ledger.walk import Point
from .checkpoint import Checkpoint, sign

if t.TYPE_CHECKING:
    from .._ledger.chain import Readable
    from .._ledger.sql import Connection

_SIGNED = "SELECT seq, signed, public_key FROM checkpoints ORDER BY seq"
_SIGNED_AT = "SELECT seq, signed, public_key FROM checkpoints WHERE seq = ?"
_SHIPPED = "SELECT checkpoint, receiver FROM shipments"
_ARCHIVED = "SELECT first, last, hash, digest, name FROM archives ORDER BY last"


class Signed(t.NamedTuple):
    """A checkpoint as the ledger has it: of which event, what was signed, and the public key in PEM."""

    seq: int
    signed: str
    public_key: str


class Archived(t.NamedTuple):
    """Events that were moved into a file: from which to which, the last one's hash, the file's SHA-256 and name."""

    first: int
    last: int
    hash: str
    digest: str
    name: str


def all_signed(ledger: Readable) -> list[Signed]:
    """Return all checkpoints, in the order of their events."""
    return [Signed(*row) for row in ledger.read(_SIGNED)]


def signed(ledger: str, at: Point, key: t.Any, *, archived: int) -> Signed:
    """Return a new checkpoint of an event, signed by a private key of cryptography's. Raises KeysteadError."""
    said = Checkpoint(ledger, at.seq, at.hash, now(), archived)
    return Signed(at.seq, sign(said, key), public_pem(spki(key.public_key())))


def shipped(ledger: Readable) -> set[tuple[int, str]]:
    """Return which checkpoint was shipped to which receiver."""
    return {(row[0], row[1]) for row in ledger.read(_SHIPPED)}


def archived(ledger: Readable) -> list[Archived]:
    """Return what was moved out of the ledger, in its order."""
    return [Archived(*row) for row in ledger.read(_ARCHIVED)]


def start(ledger: Readable) -> Point:
    """Return the point that the events of the ledger follow."""
    gone = archived(ledger)
    return Point(gone[-1].last, gone[-1].hash) if gone else Point(0, str(ledger.id))


def signed_at(connection: Connection, seq: int) -> Signed | None:
    """Return the checkpoint of an event, where there is one."""
    row = connection.execute(_SIGNED_AT, (seq,)).fetchone()
    return Signed(*row) if row else None


def note_signed(connection: Connection, one: Signed) -> None:
    """Write a checkpoint down; one of the same event is replaced."""
    connection.execute("DELETE FROM checkpoints WHERE seq = ?", (one.seq,))
    connection.execute(
        "INSERT INTO checkpoints (seq, signed, public_key, signed_at) VALUES (?, ?, ?, ?)", (*one, now())
    )


def note_shipped(connection: Connection, seq: int, receiver: str) -> None:
    """Write down that a receiver has a checkpoint."""
    connection.execute(
        "INSERT INTO shipments (checkpoint, receiver, shipped_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (seq, receiver, now()),
    )
