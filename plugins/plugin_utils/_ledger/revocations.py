# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger keeps of credentials that were taken back, whoever has them, and what is asked before they are."""

from __future__ import annotations

import json
import typing as t

from ...module_utils._core.credentials import encoded
from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.ports import Revoked
from ...module_utils._core.revoking import Revocation
from .moments import moment, stamp
from .nouns import ProvedAt
from .port import UNPLACED

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .chain import Readable
    from .nouns import CredentialRevoked
    from .port import Batch
    from .sql import Connection

Record = dict[str, t.Any]

_REVOKED = """
UPDATE generations SET revocation_reason = ?, revoked_at = ?,
    state = CASE state WHEN 'orphaned' THEN 'orphaned' WHEN 'refused' THEN 'refused' ELSE 'revoked' END
WHERE credential_id = ? AND revoked_at IS NULL
"""
_INSTEAD = "UPDATE {} SET {} = ? WHERE credential_id = ? AND revoked_at IS NOT NULL"
_STRANGER = """
INSERT INTO revocations (credential_id, public_id, serial_number, issuer_id, not_after, reason, revoked_at, recorded_at)
SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM generations WHERE credential_id = ?)
ON CONFLICT (credential_id) DO NOTHING
"""
_TAKEN_OVER = """
UPDATE generations SET state = 'revoked', revoked_at = (SELECT revoked_at FROM revocations WHERE credential_id = ?),
    revocation_reason = (SELECT reason FROM revocations WHERE credential_id = ?)
WHERE id = ? AND state = 'issued' AND EXISTS (SELECT 1 FROM revocations WHERE credential_id = ?)
"""
_CREDENTIALS = """
SELECT g.id, i.id, i.host, i.store, i.name, i.service, g.number, g.state, g.issuer_id, g.credential_id, g.public_id,
       x.serial_number, x.certificate, g.not_before, g.not_after, CASE g.found WHEN 0 THEN g.issued_at END,
       g.revocation_reason, g.revoked_at,
       CASE WHEN i.current = g.number AND g.state <> 'orphaned' THEN i.state END, g.key_type, g.custody, i.state
FROM generations g JOIN identities i ON i.id = g.identity JOIN x509 x ON x.generation = g.id
WHERE {} ORDER BY g.id
"""
_FIELDS = (
    "row", "identity_row", "host", "store", "identity", "service", "generation", "state", "issuer_id", "credential_id",
    "public_id", "serial_number", "certificate", "not_before", "not_after", "issued_at", "reason", "revoked_at",
    "current", "key_type", "custody", "identity_state",
)
_BY = {
    "serial_number": "x.serial_number = ?", "credential_id": "g.credential_id = ?", "public_id": "g.public_id = ?",
    "issuer_id": "g.issuer_id = ?", "identity": "i.name = ?", "host": "i.host = ?",
}  # fmt: skip
_STRANGERS = """
SELECT credential_id, public_id, serial_number, issuer_id, not_after, reason, revoked_at FROM revocations WHERE {}
ORDER BY credential_id
"""
_STRANGER_FIELDS = ("credential_id", "public_id", "serial_number", "issuer_id", "not_after", "reason", "revoked_at")
_OF_ISSUER = """
SELECT x.serial_number, min(g.revocation_reason), min(g.revoked_at), max(g.not_after)
FROM generations g JOIN x509 x ON x.generation = g.id
WHERE g.issuer_id = ? AND g.revoked_at IS NOT NULL AND g.not_after > ? GROUP BY x.serial_number
UNION SELECT serial_number, reason, revoked_at, not_after FROM revocations WHERE issuer_id = ? AND not_after > ?
ORDER BY 1
"""
_WITH_CERTIFICATES = """
SELECT x.serial_number, g.revocation_reason, g.revoked_at, g.not_after, x.certificate, g.public_id
FROM generations g JOIN x509 x ON x.generation = g.id
WHERE g.issuer_id = ? AND g.revoked_at IS NOT NULL AND g.not_after > ?
UNION SELECT serial_number, reason, revoked_at, not_after, NULL, public_id
FROM revocations WHERE issuer_id = ? AND not_after > ?
ORDER BY 1
"""
_IDLE = """
 AND i.host {} ? AND g.state IN ({}) AND g.revoked_at IS NULL AND g.not_after > ?
 AND (g.state <> 'issued' OR g.issued_at < ?)
"""
_LOST = """
SELECT g.id, i.id, i.host, i.store, i.name, i.service, g.number, g.issuer_id, g.public_id, g.key_type, g.custody,
       g.intended_at
FROM generations g JOIN identities i ON i.id = g.identity
WHERE g.state = 'orphaned' AND g.credential_id IS NULL AND g.revoked_at IS NULL AND i.host <> ?
    AND NOT EXISTS (SELECT 1 FROM generations o WHERE o.public_id = g.public_id AND o.state = 'intended')
    AND {} ORDER BY g.id
"""
_LOST_FIELDS = (
    "row", "identity_row", "host", "store", "identity", "service", "generation", "issuer_id", "public_id", "key_type",
    "custody", "intended_at",
)
_LIVE = """
SELECT d.generation, d.path FROM deliveries d JOIN json_each(?) asked ON d.generation = CAST(asked.value AS INTEGER)
WHERE d.withdrawn_at IS NULL AND d.succeeded_at IS NULL ORDER BY d.path
"""
_ENDPOINTS = """
SELECT DISTINCT g.identity, e.host, e.port, e.server_name, e.starttls
FROM endpoints e JOIN generations g ON g.id = e.generation
    JOIN json_each(?) asked ON g.identity = CAST(asked.value AS INTEGER)
ORDER BY e.host, e.port
"""
_SHARED = """
SELECT g.credential_id FROM generations g JOIN json_each(?) asked ON g.credential_id = asked.value
GROUP BY g.credential_id HAVING count(*) > 1
"""
_BEGUN = """
SELECT DISTINCT h.host, h.store, e.identity, e.generation FROM events e JOIN heads h ON h.batch = e.batch
WHERE e.action = 'revoke' AND e.outcome = 'pending'
"""


def apply(connection: Connection, batch: Batch, change: CredentialRevoked) -> None:
    """Write down that a credential was taken back; an orphan stays one. What is written already stands.

    Only its reason may be another one by now, where an issuer takes such a one.
    """
    when = stamp(change.when)
    connection.execute(_REVOKED, (change.reason, when, change.credential_id))
    connection.execute(_STRANGER, (
        change.credential_id, change.public_id, change.serial_number, change.issuer_id, stamp(change.not_after),
        change.reason, when, stamp(batch.at), change.credential_id,
    ))  # fmt: skip
    if change.instead:
        for table, column in (("generations", "revocation_reason"), ("revocations", "reason")):
            connection.execute(_INSTEAD.format(table, column), (change.reason, change.credential_id))


def known_as_revoked(connection: Connection, generation: int, credential_id: str) -> None:
    """Mark a generation whose credential was taken back before any identity had it."""
    connection.execute(_TAKEN_OVER, (credential_id, credential_id, generation, credential_id))


def credentials(ledger: Readable, by: Mapping[str, str]) -> list[Record]:
    """Return every generation that has a certificate and these values (names of `_BY`), in the order of the ledger.

    `issued_at` is None for what was there before it was recorded; `current` is the state of its identity where it is,
    or was, the published one.
    """
    where = " AND ".join(_BY[name] for name in by) or "1 = 1"
    rows = ledger.read(_CREDENTIALS.format(where), tuple(by.values()))
    return [dict(zip(_FIELDS, row, strict=True)) for row in rows]


def idle(
    ledger: Readable, by: Mapping[str, str], states: Sequence[str], now: datetime, before: datetime
) -> list[Record]:
    """Return what `credentials` does of generations in certain states that are not revoked and have not ended.

    What was issued counts when that was `before`. What issuers list and no host showed is there only by its host.
    """
    conditions = " AND ".join(_BY[name] for name in by) or "1 = 1"
    unlike = "=" if by.get("host") == UNPLACED else "<>"
    where = conditions + _IDLE.format(unlike, ", ".join("?" * len(states)))
    values = (*by.values(), UNPLACED, *states, stamp(now), stamp(before))
    rows = ledger.read(_CREDENTIALS.format(where), values)
    return [dict(zip(_FIELDS, row, strict=True)) for row in rows]


def lost(ledger: Readable, by: Mapping[str, str]) -> list[Record]:
    """Return the orphans of which nobody knows whether there is a certificate, and which one.

    `by` may have a key, an issuer, an identity and a host. No other run is about to ask for the same key again.
    """
    if not by.keys() <= {"public_id", "issuer_id", "identity", "host"}:
        return []
    conditions = " AND ".join(_BY[name] for name in by) or "1 = 1"
    rows = ledger.read(_LOST.format(conditions), (UNPLACED, *by.values()))
    return [dict(zip(_LOST_FIELDS, row, strict=True)) for row in rows]


def strangers(ledger: Readable, by: Mapping[str, str]) -> list[Record]:
    """Return the revoked certificates of no identity that have these values; `host` and `identity` have none."""
    if not by or not by.keys() <= set(_STRANGER_FIELDS):
        return []
    where = " AND ".join(f"{name} = ?" for name in by)
    rows = ledger.read(_STRANGERS.format(where), tuple(by.values()))
    return [dict(zip(_STRANGER_FIELDS, row, strict=True)) for row in rows]


def of_issuer(ledger: Readable, issuer_id: str, now: datetime) -> list[Revocation]:
    """Return what the ledger calls revoked of one issuer and has not ended, each certificate once."""
    rows = ledger.read(_OF_ISSUER, (issuer_id, stamp(now), issuer_id, stamp(now)))
    return [Revocation(int(number, 16), Revoked(why, moment(at)), moment(end)) for number, why, at, end in rows]


def with_certificates(ledger: Readable, issuer_id: str, now: datetime) -> list[Revocation]:
    """Return what `of_issuer` does, with what each key is called.

    Certificates that an identity had are there too; of others the ledger keeps none.
    """
    rows = ledger.read(_WITH_CERTIFICATES, (issuer_id, stamp(now), issuer_id, stamp(now)))
    return [
        Revocation(int(number, 16), Revoked(why, moment(at)), moment(end), _encoded(text) if text else None, key)
        for number, why, at, end, text, key in rows
    ]


def _encoded(text: str) -> bytes:
    try:
        return encoded(text.encode())
    except ValueError:
        raise Misconfigured("ledger: it holds a certificate that cannot be read; put a backup in its place") from None


def live(ledger: Readable, rows: t.Iterable[int]) -> dict[int, list[str]]:
    """Return the paths where generations, by their rows, are delivered and neither withdrawn nor succeeded."""
    found: dict[int, list[str]] = {}
    for row, path in ledger.read(_LIVE, (json.dumps(sorted(rows)),)):
        found.setdefault(row, []).append(path)
    return found


def endpoints(ledger: Readable, identities: t.Iterable[int]) -> dict[int, list[ProvedAt]]:
    """Return where generations of identities, by their rows, were ever proved by a handshake."""
    found: dict[int, list[ProvedAt]] = {}
    for row, *told in ledger.read(_ENDPOINTS, (json.dumps(sorted(identities)),)):
        found.setdefault(row, []).append(ProvedAt(*told))
    return found


def shared(ledger: Readable, credential_ids: t.Iterable[str]) -> frozenset[str]:
    """Return those of these credentials that several generations have."""
    return frozenset(one for (one,) in ledger.read(_SHARED, (json.dumps(sorted(set(credential_ids))),)))


def begun(ledger: Readable) -> frozenset[tuple[str, str, str, int | None]]:
    """Return host, store, name and generation of everything that a run ever set out to revoke."""
    return frozenset(tuple(row) for row in ledger.read(_BEGUN))
