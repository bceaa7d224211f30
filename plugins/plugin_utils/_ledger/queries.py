# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What others ask of the ledger: rows as dictionaries, oldest first; without a filter everything."""

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:
    from .chain import Readable

Record = dict[str, t.Any]

_IDENTITIES = """
SELECT i.host, i.store, i.name, i.kind, i.scope, i.state, i.contact, i.service, i.labels, i.newest,
       g.number, g.state, g.issuer_id, g.custody, g.key_type, g.public_id, g.credential_id, g.not_before, g.not_after,
       g.revocation_reason, x.serial_number, x.subject, x.issuer_dn, x.names
FROM identities i
LEFT JOIN generations g ON g.identity = i.id AND g.number = i.current AND g.state NOT IN ('refused', 'orphaned')
    AND i.state = 'present'
LEFT JOIN x509 x ON x.generation = g.id
WHERE i.host = coalesce(?, i.host) AND i.store = coalesce(?, i.store) AND i.name = coalesce(?, i.name)
ORDER BY i.host, i.store, i.name
"""
_IDENTITY_FIELDS = (
    "host", "store", "name", "kind", "scope", "state", "contact", "service", "labels", "newest",
    "generation", "generation_state", "issuer_id", "custody", "key_type", "public_id", "credential_id", "not_before",
    "not_after", "revoked", "serial_number", "subject", "issuer_dn", "names",
)
_CERTIFICATE = """
SELECT x.certificate, x.chain
FROM identities i
JOIN generations g ON g.identity = i.id AND g.number = i.current AND g.state NOT IN ('refused', 'orphaned')
JOIN x509 x ON x.generation = g.id
WHERE i.host = ? AND i.store = ? AND i.name = ? AND i.state = 'present'
"""
_LINKS = """
SELECT DISTINCT d.path
FROM identities i
JOIN deliveries d ON d.identity = i.id AND d.withdrawn_at IS NULL AND d.succeeded_at IS NULL
WHERE i.host = ? AND i.store = ? AND i.name = ?
ORDER BY d.path
"""
_EVENTS = """
SELECT e.seq, e.batch, h.at, h.host, h.store, h.actor, e.identity, e.generation, e.action, e.reason, e.outcome,
       e.message, e.milliseconds, e.attempts, e.hash
FROM events e JOIN heads h ON h.batch = e.batch
WHERE h.host = coalesce(?, h.host) AND h.store = coalesce(?, h.store) AND e.identity = coalesce(?, e.identity)
ORDER BY e.seq
"""
_EVENT_FIELDS = (
    "seq", "batch", "at", "host", "store", "actor", "identity", "generation", "action", "reason", "outcome", "message",
    "milliseconds", "attempts", "hash",
)
_LAST_EVENT = """
SELECT e.action, e.outcome FROM events e JOIN heads h ON h.batch = e.batch
WHERE h.host = ? AND h.store = ? AND e.identity = ? AND e.generation = ?
ORDER BY e.seq DESC LIMIT 1
"""
_UNFIT = """
SELECT i.name, g.asked, g.issued_at, g.revoked_at, (
    SELECT e.message FROM heads h JOIN events e ON e.batch = h.batch
    WHERE h.host = i.host AND h.store = i.store AND h.at = g.issued_at AND e.identity = i.name
        AND e.generation = g.number AND e.action = 'issue' AND e.outcome = 'failed'
    ORDER BY e.seq DESC LIMIT 1)
FROM identities i
JOIN generations g ON g.identity = i.id AND g.state = 'orphaned' AND g.issued_at IS NOT NULL
WHERE i.host = ? AND i.store = ? AND g.id > coalesce((
    SELECT max(a.id) FROM generations a WHERE a.identity = i.id AND a.state NOT IN ('intended', 'refused', 'orphaned')
), 0)
ORDER BY g.id
"""
_UNFIT_FIELDS = ("name", "asked", "at", "revoked_at", "message")
_ORDERED_AT = """
SELECT min(h.at) FROM heads h JOIN events e ON e.batch = h.batch
WHERE h.host = ? AND h.store = ? AND e.identity = ? AND e.action = 'issue' AND e.outcome = 'pending' AND e.message = ?
"""
_PLACED = """
SELECT i.name, g.reference FROM identities i JOIN generations g ON g.identity = i.id
WHERE i.host = ? AND i.store = ? AND g.reference LIKE ?
ORDER BY g.id
"""
_HEADS = "SELECT batch, at, host, store, actor, seq, hash FROM heads ORDER BY batch"
_HEAD_FIELDS = ("batch", "at", "host", "store", "actor", "seq", "hash")
_CERTIFICATE_OF = """
SELECT x.certificate, x.chain FROM identities i
JOIN generations g ON g.identity = i.id
JOIN x509 x ON x.generation = g.id
WHERE i.host = ? AND i.store = ? AND i.name = ? AND g.credential_id = ?
"""
_HOLDERS = """
SELECT DISTINCT i.host, i.store, i.name FROM generations g JOIN identities i ON i.id = g.identity
WHERE g.public_id = ? AND g.state IN ('intended', 'issued', 'current', 'released')
ORDER BY i.host, i.store, i.name
"""
_KEY_HOLDERS = """
SELECT DISTINCT i.host, i.store, i.name FROM generations g JOIN identities i ON i.id = g.identity
WHERE (g.key_uri = ? OR substr(g.key_uri, 1, length(?)) = ?) AND g.state NOT IN ('refused', 'orphaned', 'withdrawn')
    AND i.state IN ('present', 'released')
ORDER BY i.host, i.store, i.name
"""
_HOLDER_FIELDS = ("host", "store", "name")
_SIGNERS = """
SELECT DISTINCT issuer_id FROM generations
WHERE issuer_id LIKE ? AND state NOT IN ('intended', 'refused', 'revoked') AND not_after > ?
ORDER BY issuer_id
"""
_BACKEND_KEYS = """
SELECT backend, uri, place, label, host, key_type, public_id, public_key, origin, recorded_at, destroyed_at
FROM backend_keys
WHERE label = coalesce(?, label) AND host = coalesce(?, host) AND place = coalesce(?, place) AND destroyed_at IS NULL
ORDER BY id
"""
_BACKEND_KEY_FIELDS = (
    "backend", "uri", "place", "label", "host", "key_type", "public_id", "public_key", "origin", "recorded_at",
    "destroyed_at",
)
_IDENTITY_KEY = """
SELECT g.custody, g.key_uri
FROM identities i
JOIN generations g ON g.identity = i.id AND g.number = i.current AND g.state NOT IN ('refused', 'orphaned')
WHERE i.host = ? AND i.store = ? AND i.name = ? AND i.state = 'present'
"""
_SPENT = """
SELECT i.name, g.key_uri FROM generations g JOIN identities i ON i.id = g.identity
WHERE i.host = ? AND i.store = ? AND g.key_uri IS NOT NULL
    AND g.state IN ('current', 'superseded', 'withdrawn', 'released', 'revoked')
ORDER BY g.id DESC
"""
_OWNERS = """
SELECT label, host, place FROM backend_keys
WHERE (uri = ? OR substr(uri, 1, length(?)) = ?) AND destroyed_at IS NULL
ORDER BY id
"""
_OWNER_FIELDS = ("label", "host", "place")
_GENERATIONS = """
SELECT backend, uri, place, label, host, key_type, public_id, public_key, origin, recorded_at, destroyed_at
FROM backend_keys WHERE place = ? AND label = ? ORDER BY id
"""
_CLAIMS = """
SELECT label, host, place FROM backend_keys
WHERE (uri = ? OR public_id = ?) AND NOT (place = ? AND label = ?) AND destroyed_at IS NULL
ORDER BY id
"""
_DESTROYED = """
SELECT count(*), count(destroyed_at) FROM backend_keys WHERE uri = ?
"""
AUTHORITIES = "authority:"
"""Begins the place of the key of an authority; the directory that it stands in follows."""
MOST_SPENT = 100
"""Keys of an identity that are remembered: older ones were destroyed long ago."""
VERSION = "?version="
"""Between the URI of a key that has versions, and the version."""
_JSON = frozenset({"labels", "names", "actor"})


def identities(
    ledger: Readable, *, host: str | None = None, store: str | None = None, name: str | None = None,
) -> list[Record]:
    """Return identities with their published generation, if they have one; moments as text, serial numbers as hex."""
    return _records(_IDENTITY_FIELDS, ledger.read(_IDENTITIES, (host, store, name)))


def certificate(ledger: Readable, host: str, store: str, name: str) -> tuple[str, str] | None:
    """Return certificate and chain of the published generation of one identity, as PEM; None where it has none."""
    rows = ledger.read(_CERTIFICATE, (host, store, name))
    return (rows[0][0], rows[0][1]) if rows else None


def certificate_of(ledger: Readable, host: str, store: str, name: str, credential_id: str) -> tuple[str, str] | None:
    """Return certificate and chain of any generation of one identity, as PEM; None where it has no such one."""
    rows = ledger.read(_CERTIFICATE_OF, (host, store, name, credential_id))
    return (rows[0][0], rows[0][1]) if rows else None


def links(ledger: Readable, host: str, store: str, name: str) -> list[str]:
    """Return the paths of the live deliveries of one identity, sorted."""
    return [path for (path,) in ledger.read(_LINKS, (host, store, name))]


def events(
    ledger: Readable, *, host: str | None = None, store: str | None = None, identity: str | None = None,
) -> list[Record]:
    """Return the events of one host, store or identity, by their place in the chain."""
    return _records(_EVENT_FIELDS, ledger.read(_EVENTS, (host, store, identity)))


def waits(ledger: Readable, host: str, store: str, name: str, number: int | None) -> bool:
    """Tell whether the last that is known of a generation is that its issuer had not decided yet."""
    return ledger.read(_LAST_EVENT, (host, store, name, number)) == [("issue", "pending")]


def ordered_at(ledger: Readable, host: str, store: str, name: str, told: str) -> str | None:
    """Return when an order was begun for an identity, by what the ledger was told of it then."""
    ((at,),) = ledger.read(_ORDERED_AT, (host, store, name, told))
    return at if at is None else str(at)


def placed(ledger: Readable, host: str, store: str) -> list[tuple[str, str]]:
    """Return the identities of a store, and the references of their orders, for which something was placed."""
    return t.cast("list[tuple[str, str]]", ledger.read(_PLACED, (host, store, "%#%=%")))


def unfit(ledger: Readable, host: str, store: str) -> list[Record]:
    """Return what was signed for the identities of a store, and not accepted, since they got what they have."""
    return _records(_UNFIT_FIELDS, ledger.read(_UNFIT, (host, store)))


def credentials(ledger: Readable) -> frozenset[str]:
    """Return the ids of all credentials that the ledger ever heard of."""
    rows = ledger.read("SELECT DISTINCT credential_id FROM generations WHERE credential_id IS NOT NULL")
    return frozenset(row[0] for row in rows)


def holders(ledger: Readable, public_id: str) -> list[Record]:
    """Return which identities have a key (SHA-256 of its SPKI) now: those that were renewed since have another one."""
    return _records(_HOLDER_FIELDS, ledger.read(_HOLDERS, (public_id,)))


def key_holders(ledger: Readable, uri: str) -> list[Record]:
    """Return which identities have, or had and may have kept, the key that a URI names, or a version of it."""
    versions = f"{uri}{VERSION}"
    return _records(_HOLDER_FIELDS, ledger.read(_KEY_HOLDERS, (uri, versions, versions)))


def spent_keys(ledger: Readable, host: str, store: str) -> dict[str, tuple[str, ...]]:
    """Return the URIs of the keys that generations of the identities of a store had, the last ones, by name."""
    found: dict[str, list[str]] = {}
    for name, uri in ledger.read(_SPENT, (host, store)):
        uris = found.setdefault(name, [])
        if uri not in uris and len(uris) < MOST_SPENT:
            uris.append(uri)
    return {name: tuple(uris) for name, uris in found.items()}


def key_owners(ledger: Readable, uri: str) -> list[Record]:
    """Return the keys of no identity that a URI names, or versions of it: of hsm_key, and of authorities."""
    versions = f"{uri}{VERSION}"
    return _records(_OWNER_FIELDS, ledger.read(_OWNERS, (uri, versions, versions)))


def is_destroyed(ledger: Readable, uri: str) -> bool:
    """Return whether the key that a URI names was destroyed, and is not there again."""
    ((known, destroyed),) = ledger.read(_DESTROYED, (uri,))
    return bool(known) and known == destroyed


def signers(ledger: Readable, public_id: str, at: str) -> list[str]:
    """Return the ids of the authorities that sign with a key (SHA-256 of its SPKI) and whose certificates live."""
    return [issuer for (issuer,) in ledger.read(_SIGNERS, (f"local:%:{public_id[:32]}", at))]


def backend_keys(
    ledger: Readable, *, label: str | None = None, host: str | None = None, place: str | None = None,
) -> list[Record]:
    """Return the keys of no identity that are in a backend now, as far as the ledger knows."""
    return _records(_BACKEND_KEY_FIELDS, ledger.read(_BACKEND_KEYS, (label, host, place)))


def key_generations(ledger: Readable, place: str, label: str) -> list[Record]:
    """Return every key that was ever recorded in a place as the one of this name, those that are destroyed too."""
    return _records(_BACKEND_KEY_FIELDS, ledger.read(_GENERATIONS, (place, label)))


def key_claims(ledger: Readable, uri: str, public_id: str | None, place: str, label: str) -> list[Record]:
    """Return the keys of no identity, but for those of one name in one place, that are the same key."""
    return _records(_OWNER_FIELDS, ledger.read(_CLAIMS, (uri, public_id, place, label)))


def key_of(ledger: Readable, host: str, store: str, name: str) -> tuple[str, str | None] | None:
    """Return custody and key URI of the published generation of an identity; None where it has none."""
    rows = ledger.read(_IDENTITY_KEY, (host, store, name))
    return (rows[0][0], rows[0][1]) if rows else None


def heads(ledger: Readable) -> list[Record]:
    """Return the head of every batch: what a checkpoint signs."""
    return _records(_HEAD_FIELDS, ledger.read(_HEADS))


def _records(fields: tuple[str, ...], rows: list[tuple[t.Any, ...]]) -> list[Record]:
    return [{field: _value(field, value) for field, value in zip(fields, row, strict=True)} for row in rows]


def _value(field: str, value: t.Any) -> t.Any:
    return json.loads(value) if value and field in _JSON else value
