# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an intent does to the tables; runs inside the transaction of its caller."""

from __future__ import annotations

import json
import typing as t

from .moments import moment, stamp
from .port import INTENT_HOLDS, UNPLACED, Held, Used

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .port import Batch, Intent
    from .sql import Connection

_IDENTITY = """
INSERT INTO identities (host, store, name, kind, scope, contact, service, labels, trusts, state, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'present', ?)
ON CONFLICT (host, store, name) DO UPDATE SET
    kind = excluded.kind, scope = excluded.scope, contact = excluded.contact, service = excluded.service,
    labels = excluded.labels, trusts = excluded.trusts, state = excluded.state,
    current = CASE WHEN identities.state = 'present' THEN identities.current END
"""
_USER = """
SELECT i.host, i.store, i.name FROM generations g JOIN identities i ON i.id = g.identity
WHERE g.public_id = ? AND NOT (i.host = ? AND i.store = ? AND i.name = ?)
    AND NOT (? AND i.host = '') LIMIT 1
"""
_PLACED = """
UPDATE generations SET identity = ?, number = ?, state = 'intended', issuer_id = ?, custody = ?, key_uri = ?,
    key_type = ?, holder = ?, intended_at = ?, found = 1, revoked_at = NULL, revocation_reason = NULL
WHERE id = (
    SELECT min(g.id) FROM generations g JOIN identities i ON i.id = g.identity
    WHERE i.host = '' AND g.credential_id = ? AND g.public_id = ?)
"""
_GENERATION = """
INSERT INTO generations (identity, number, state, issuer_id, custody, key_uri, key_type, public_id, holder, intended_at,
    reference, found, asked)
VALUES (?, ?, 'intended', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def open_all(connection: Connection, batch: Batch, intents: Sequence[Intent]) -> None:
    """Open the intents of a batch, or raise Used for keys that others have, or Held for what another run has."""
    waits, users = {}, {}
    for intent in intents:
        user = None if intent.shared else _user(connection, batch, intent)
        if user is not None:
            users[intent.name] = user
        elif (wait := _open(connection, batch, intent)) is not None:
            waits[intent.name] = wait
    if users:
        raise Used(users)
    if waits:
        raise Held(sorted(waits), max(waits.values()))


def _user(connection: Connection, batch: Batch, intent: Intent) -> str | None:
    """Say which other identity ever had the key of an intent, were it on another host or earlier in this batch."""
    where = (intent.public_id, batch.host, batch.store, intent.name, intent.found is not None)
    row = connection.execute(_USER, where).fetchone()
    if row is None:
        return None
    host, store, name = row
    place = "" if store == batch.store else f" in {store}"
    return f"identity {name}{place}" + ("" if host in (UNPLACED, batch.host) else f" of {host}")


def _open(connection: Connection, batch: Batch, intent: Intent) -> float | None:
    """Open one intent; when another run has that number, return the seconds for which it will."""
    at = asked = stamp(batch.at)
    connection.execute(_IDENTITY, (
        batch.host, batch.store, intent.name, intent.kind, intent.scope, intent.contact, intent.service,
        json.dumps(dict(intent.labels), sort_keys=True), intent.trusts, at,
    ))
    identity = identity_of(connection, batch, intent.name)
    found = connection.execute(
        "SELECT id, state, public_id, holder, intended_at FROM generations"
        " WHERE identity = ? AND number = ? AND state NOT IN ('refused', 'orphaned')", (identity, intent.number),
    ).fetchone()
    if found:
        generation, state, public_id, holder, since = found
        if state != "intended":
            return 0.0
        left = INTENT_HOLDS - (batch.at - moment(since)).total_seconds()
        same_key = public_id == intent.public_id
        if not same_key and holder not in (None, intent.holder) and left > 0:
            return left
        repeated = same_key and not intent.lost
        asked = since if repeated else at  # when it may have been signed for the first time
        _close(connection, generation, repeated=repeated)
    if not _is_placed(connection, identity, intent, at):
        connection.execute(_GENERATION, (
            identity, intent.number, intent.issuer_id, intent.custody, intent.key_uri, intent.key_type,
            intent.public_id, intent.holder, asked, intent.reference,
            int(intent.shared or intent.found is not None), intent.asked,
        ))
    return None


def _is_placed(connection: Connection, identity: int | None, intent: Intent, at: str) -> bool:
    """Give the record of a credential that was listed, and now is found on a host, its place there."""
    return intent.found is not None and connection.execute(_PLACED, (
        identity, intent.number, intent.issuer_id, intent.custody, intent.key_uri, intent.key_type, intent.holder, at,
        intent.found, intent.public_id,
    )).rowcount > 0


def _close(connection: Connection, generation: int, *, repeated: bool) -> None:
    """Make room for an intent of the same number: one that is not just repeated may have been signed."""
    if repeated:
        connection.execute("DELETE FROM generations WHERE id = ?", (generation,))
    else:
        connection.execute("UPDATE generations SET state = 'orphaned', holder = NULL WHERE id = ?", (generation,))


def identity_of(connection: Connection, batch: Batch, name: str) -> int | None:
    """Return the row of an identity."""
    row = connection.execute(
        "SELECT id FROM identities WHERE host = ? AND store = ? AND name = ?", (batch.host, batch.store, name),
    ).fetchone()
    return row[0] if row else None


def generation_of(connection: Connection, identity: int, number: int) -> int | None:
    """Return the row that has this number; those that were refused or given up do not have it any more."""
    row = connection.execute(
        "SELECT id FROM generations WHERE identity = ? AND number = ? AND state NOT IN ('refused', 'orphaned')",
        (identity, number),
    ).fetchone()
    return row[0] if row else None
