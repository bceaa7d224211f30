# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a report asks of the ledger beside its rows: what happened last, who signed how much, and what never was."""

from __future__ import annotations

import json
import typing as t

if t.TYPE_CHECKING:
    from .chain import Readable

Record = dict[str, t.Any]

_EVENTS = """
SELECT e.seq, h.at, h.host, h.store, h.actor, e.identity, e.generation, e.action, e.reason, e.outcome, e.message
FROM events e JOIN heads h ON h.batch = e.batch
ORDER BY e.seq DESC LIMIT ?
"""
_EVENT_FIELDS = (
    "seq", "at", "host", "store", "actor", "identity", "generation", "action", "reason", "outcome", "message",
)
_SIGNED = """
SELECT issuer_id, count(*), max(issued_at) FROM generations
WHERE issued_at IS NOT NULL AND substr(issuer_id, 1, 9) <> 'observed:'
GROUP BY issuer_id ORDER BY issuer_id
"""
_KEPT = """
SELECT custody, count(*), max(issued_at) FROM generations
WHERE issued_at IS NOT NULL AND substr(issuer_id, 1, 9) <> 'observed:'
GROUP BY custody ORDER BY custody
"""
_ANSWERS = """
SELECT a.issuer_id, a.outcome, count(*) FROM (
    SELECT e.outcome, (
        SELECT g.issuer_id FROM identities i JOIN generations g ON g.identity = i.id
        WHERE i.host = h.host AND i.store = h.store AND i.name = e.identity AND g.number = e.generation
            AND g.intended_at <= h.at
        ORDER BY g.id DESC LIMIT 1) AS issuer_id
    FROM heads h JOIN events e ON e.batch = h.batch
    WHERE h.at >= ? AND e.action = 'issue' AND e.outcome IN ('ok', 'failed')) a
WHERE a.issuer_id IS NOT NULL GROUP BY a.issuer_id, a.outcome
"""
"""Who was asked is in the generation: of those with one number, the last that was intended by then."""
_NEVER = """
SELECT host, store, name, service, contact FROM identities WHERE state = 'present' AND current IS NULL AND host <> ''
ORDER BY host, store, name
"""
_NEVER_FIELDS = ("host", "store", "name", "service", "contact")


class Signed(t.NamedTuple):
    """How many credentials there ever were of an issuer, or of a custody, and when the last one was issued."""

    name: str
    number: int
    last: str


def events(ledger: Readable, limit: int) -> list[Record]:
    """Return the last events, the newest first."""
    found = [dict(zip(_EVENT_FIELDS, row, strict=True)) for row in ledger.read(_EVENTS, (limit,))]
    return [{**one, "actor": json.loads(one["actor"])} for one in found]


def signed(ledger: Readable) -> list[Signed]:
    """Return what each issuer has signed, by its id."""
    return [Signed(*row) for row in ledger.read(_SIGNED)]


def kept(ledger: Readable) -> list[Signed]:
    """Return the same for each custody."""
    return [Signed(*row) for row in ledger.read(_KEPT)]


def answers(ledger: Readable, since: str) -> dict[str, dict[str, int]]:
    """Return how often issuers have signed (`ok`) and refused or failed (`failed`) since a moment, by their ids."""
    found: dict[str, dict[str, int]] = {}
    for issuer, outcome, count in ledger.read(_ANSWERS, (since,)):
        found.setdefault(issuer, {})[outcome] = count
    return found


def never(ledger: Readable) -> list[Record]:
    """Return the identities that are declared and never got a credential."""
    return [dict(zip(_NEVER_FIELDS, row, strict=True)) for row in ledger.read(_NEVER)]
