# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger keeps of keys that are in a backend by themselves. Runs inside the transaction of its caller."""

from __future__ import annotations

import typing as t

from .moments import moment, stamp
from .nouns import KeyClaimed, KeyLeft, KeyPrepared
from .port import INTENT_HOLDS, Held, KeyGone

if t.TYPE_CHECKING:
    from .port import Batch, KeyChange, KeyKept
    from .sql import Connection

_GONE = "UPDATE backend_keys SET destroyed_at = ? WHERE uri = ? AND destroyed_at IS NULL"
_KEPT = """
INSERT INTO backend_keys (backend, uri, place, label, host, key_type, public_id, public_key, origin, recorded_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_NO_LONGER_PREPARED = "DELETE FROM prepared_keys WHERE uri = ?"
_PREPARED = """
INSERT INTO prepared_keys (place, label, number, uri, public_id) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (place, label, number) DO UPDATE SET uri = excluded.uri, public_id = excluded.public_id
"""
_CLOCK = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
"""The clock of the database, which is one for all controllers of a shared ledger."""
_HELD = "SELECT holder, since FROM key_runs WHERE place = ? AND label = ?"
_CLAIMED = """
INSERT INTO key_runs (place, label, holder, since) VALUES (?, ?, ?, ?)
ON CONFLICT (place, label) DO UPDATE SET holder = excluded.holder, since = excluded.since
"""
_LEFT = "DELETE FROM key_runs WHERE place = ? AND label = ? AND holder = ?"


def apply(connection: Connection, batch: Batch, change: KeyChange) -> None:
    """Write down who is at work on a key, and what is there, or no longer. Raises Held where another run is."""
    if isinstance(change, KeyClaimed):
        _claim(connection, change)
    elif isinstance(change, KeyLeft):
        connection.execute(_LEFT, change)
    elif isinstance(change, KeyPrepared):
        connection.execute(_PREPARED, change)
    else:
        _write(connection, batch, change)


def _write(connection: Connection, batch: Batch, change: KeyKept | KeyGone) -> None:
    """Write down that a key is there, or no longer; one that has the URI of another took its place."""
    connection.execute(_GONE, (stamp(batch.at), change.uri))
    connection.execute(_NO_LONGER_PREPARED, (change.uri,))
    if not isinstance(change, KeyGone):
        _keep(connection, batch, change)


def _keep(connection: Connection, batch: Batch, change: KeyKept) -> None:
    connection.execute(_KEPT, (
        change.backend, change.uri, change.place, change.label, batch.host, change.key_type, change.public_id,
        change.public_key, "made" if change.made else "adopted", stamp(batch.at),
    ))  # fmt: skip


def _claim(connection: Connection, change: KeyClaimed) -> None:
    """Let a run be the only one at a key; one that was not heard of for long enough is over."""
    ((now,),) = connection.execute(_CLOCK).fetchall()
    row = connection.execute(_HELD, (change.place, change.label)).fetchone()
    if change.goes_on and (row is None or row[0] != change.holder):
        raise Held([f"key {change.label}"], 0)
    if row is not None and row[0] not in (change.holder, change.dead):
        left = INTENT_HOLDS - (moment(now) - moment(row[1])).total_seconds()
        if 0 < left < 2 * INTENT_HOLDS:  # more would be from a clock that was ahead, and that says nothing
            raise Held([f"key {change.label}"], left)
    connection.execute(_CLAIMED, (change.place, change.label, change.holder, now))
