# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger says row by row: its generations in the one shape of all that is known of credentials.

Statements are put together here from these texts and from nothing that anybody says; values are parameters.
"""

from __future__ import annotations

import json
import typing as t

from .._rows.row import LAST, Delivery, Row
from .._rows.selection import IN_USE, Selection

if t.TYPE_CHECKING:
    from .._rows.row import Key
    from .chain import Readable

MOST = 1 << 62
_IN_USE = (
    "(i.current = g.number AND i.state IN ('present', 'released') AND g.state NOT IN ('refused', 'orphaned')"
    " OR EXISTS (SELECT 1 FROM deliveries d WHERE d.generation = g.id"
    " AND d.withdrawn_at IS NULL AND d.succeeded_at IS NULL))"
)
_USED = """g.id IN (
    SELECT c.id FROM identities h JOIN generations c ON c.identity = h.id AND c.number = h.current
    WHERE h.state IN ('present', 'released') AND c.state NOT IN ('refused', 'orphaned')
    UNION SELECT l.generation FROM deliveries l WHERE l.withdrawn_at IS NULL AND l.succeeded_at IS NULL)"""
"""The same as _IN_USE, from where there are few: a database begins there, and does not look at what was replaced."""
_NAMED = "g.id IN (SELECT n.generation FROM x509 n WHERE n.issuer_dn = ?)"
_END = f"coalesce(g.not_after, '{LAST}')"  # as the index generations_end has it
_ISSUED = "coalesce(g.issued_at, g.intended_at)"  # of what was never answered, when it was asked for
_FROM = "FROM generations g JOIN identities i ON i.id = g.identity LEFT JOIN x509 x ON x.generation = g.id"
_COLUMNS = (
    "SELECT g.id, i.host, i.store, i.name, i.kind, i.scope, i.service, i.contact, i.labels, g.number, g.state,"
    " g.issuer_id, g.custody, g.key_uri, g.key_type, g.public_id, g.credential_id, x.serial_number, x.issuer_dn,"
    f" x.subject, x.names, g.not_before, g.not_after, {_ISSUED}, g.revoked_at, g.revocation_reason, x.certificate,"
    f" {_IN_USE}"
)
_DELIVERIES = """
SELECT d.generation, d.path, d.part, d.delivered_at, d.proved_at, coalesce(d.withdrawn_at, d.succeeded_at)
FROM deliveries d JOIN json_each(?) asked ON d.generation = CAST(asked.value AS INTEGER)
ORDER BY d.generation, d.path
"""
_FIELDS: t.Mapping[str, str] = {
    "services": "i.service",
    "contacts": "i.contact",
    "key_types": "g.key_type",
    "custodies": "g.custody",
    "hosts": "i.host",
    "identities": "i.name",
    "spki": "g.public_id",
    "fingerprints": "g.credential_id",
    "serial_numbers": "x.serial_number",
}


class _Clause(t.NamedTuple):
    text: str
    values: tuple[t.Any, ...] = ()


def select(
    ledger: Readable, asked: Selection, *, after: Key | None = None, limit: int | None = None
) -> list[Row]:
    """Return the generations that are selected, in the order of their keys, those after a key, at most `limit`."""
    if asked.managed is False:
        return []
    clauses = _clauses(asked)
    if after is not None:
        end, kind, number = after
        clauses.append(_Clause(f"({_END}, g.id) > (?, ?)", (end, MOST if kind else number)))
    where, values = _where(clauses)
    statement = f"{_COLUMNS} {_FROM} {where} ORDER BY {_END}, g.id LIMIT ?"
    found = ledger.read(statement, (*values, MOST if limit is None else limit))
    placed = _deliveries(ledger, [row[0] for row in found])
    return [_row(row, tuple(placed.get(row[0], ()))) for row in found]


def count(ledger: Readable, asked: Selection) -> int:
    """Return how many generations are selected."""
    if asked.managed is False:
        return 0
    where, values = _where(_clauses(asked))
    ((found,),) = ledger.read(f"SELECT count(*) {_FROM} {where}", values)
    return int(found)


def _where(clauses: list[_Clause]) -> tuple[str, tuple[t.Any, ...]]:
    text = " AND ".join(one.text for one in clauses)
    return (f"WHERE {text}" if text else ""), tuple(value for one in clauses for value in one.values)


def _clauses(asked: Selection) -> list[_Clause]:
    found = [_among(column, getattr(asked, field)) for field, column in _FIELDS.items() if getattr(asked, field)]
    if asked.issuers:
        found.append(_any([one for issuer in asked.issuers for one in _by_issuer(issuer)]))
    if asked.states:
        states = tuple(one for one in asked.states if one != IN_USE)
        used = [_Clause(_USED)] if IN_USE in asked.states else []
        found.append(_any([*([_among("g.state", states)] if states else []), *used]))
    if asked.ends_from is not None:
        found.append(_Clause("g.not_after >= ?", (asked.ends_from,)))
    if asked.ends_until is not None:
        found.append(_Clause("g.not_after <= ?", (asked.ends_until,)))
    if asked.issued_from is not None:
        found.append(_Clause(f"{_ISSUED} >= ?", (asked.issued_from,)))
    if asked.issued_until is not None:
        found.append(_Clause(f"{_ISSUED} <= ?", (asked.issued_until,)))
    return found


def _among(column: str, values: t.Sequence[str]) -> _Clause:
    return _Clause(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def _by_issuer(issuer: str) -> list[_Clause]:
    """Return what an issuer is known by: its id, the beginning of one (a semicolon follows a colon), or its name."""
    begins = _Clause("(g.issuer_id >= ? AND g.issuer_id < ?)", (f"{issuer}:", f"{issuer};"))
    return [_Clause("g.issuer_id = ?", (issuer,)), begins, _Clause(_NAMED, (issuer,))]


def _any(clauses: list[_Clause]) -> _Clause:
    text = " OR ".join(one.text for one in clauses)
    return _Clause(f"({text})", tuple(value for one in clauses for value in one.values))


def _deliveries(ledger: Readable, generations: t.Sequence[int]) -> dict[int, list[Delivery]]:
    found: dict[int, list[Delivery]] = {}
    if generations:
        for generation, path, part, begun, proved, ended in ledger.read(_DELIVERIES, (json.dumps(generations),)):
            found.setdefault(generation, []).append(Delivery(path, part, ended is None, begun, proved, ended))
    return found


def _row(found: tuple[t.Any, ...], deliveries: tuple[Delivery, ...]) -> Row:
    number, host, store, name, kind, scope, service, contact, labels, generation, state = found[:11]
    issuer_id, custody, key_uri, key_type, spki, fingerprint, serial, issuer, subject, names = found[11:21]
    not_before, not_after, issued_at, revoked_at, reason, certificate, in_use = found[21:]
    return Row(
        key=(not_after or LAST, 0, number), managed=True, name=name, host=host, state=state, in_use=bool(in_use),
        kind=kind, store=store, scope=scope, service=service, contact=contact, labels=json.loads(labels),
        generation=generation, issuer_id=issuer_id, custody=custody, key_uri=key_uri, key_type=key_type, spki=spki,
        fingerprint=fingerprint, serial_number=serial, issuer=issuer, subject=subject,
        names=json.loads(names) if names else {}, not_before=not_before, not_after=not_after, issued_at=issued_at,
        revoked_at=revoked_at, revocation_reason=reason, certificate=certificate, deliveries=deliveries,
    )  # fmt: skip
