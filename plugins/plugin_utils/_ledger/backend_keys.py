# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger keeps of keys that are in a backend by themselves. Runs inside the transaction of its caller."""

from __future__ import annotations

import typing as t

from .moments import stamp
from .port import KeyGone

if t.TYPE_CHECKING:
    from .port import Batch, KeyChange, KeyKept
    from .sql import Connection

_GONE = "UPDATE backend_keys SET destroyed_at = ? WHERE uri = ? AND destroyed_at IS NULL"
_KEPT = """
INSERT INTO backend_keys (backend, uri, place, label, host, key_type, public_id, public_key, origin, recorded_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def apply(connection: Connection, batch: Batch, change: KeyChange) -> None:
    """Write down that a key is there, or no longer; one that has the URI of another took its place."""
    connection.execute(_GONE, (stamp(batch.at), change.uri))
    if not isinstance(change, KeyGone):
        _keep(connection, batch, change)


def _keep(connection: Connection, batch: Batch, change: KeyKept) -> None:
    connection.execute(_KEPT, (
        change.backend, change.uri, change.place, change.label, batch.host, change.key_type, change.public_id,
        change.public_key, "made" if change.made else "adopted", stamp(batch.at),
    ))  # fmt: skip
