# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The ledger in a database. What it remembers is one query; what it is told is one transaction."""

from __future__ import annotations

import json
import typing as t

from .asked import Asked
from .moments import moment, now
from .port import OpenIntent, Remembered

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from .port import Batch, Intent, Outcome
    from .sql import Connection, Database, Rows

REMEMBERED = """
SELECT i.name, i.kind, i.scope, i.state, i.contact, i.service, i.newest,
       CASE WHEN i.state = 'present' THEN g.number END, g.number,
       g.credential_id, g.public_id, g.issuer_id, x.serial_number, x.certificate, g.not_after,
       (SELECT json_group_array(json_array(r.credential_id, r.revocation_reason)) FROM generations r
            WHERE r.identity = i.id AND r.state = 'revoked' AND r.not_after > ?),
       (SELECT json_group_array(path) FROM (
            SELECT DISTINCT d.path FROM deliveries d
            WHERE d.identity = i.id AND d.withdrawn_at IS NULL AND d.succeeded_at IS NULL ORDER BY d.path) AS live),
       o.number, o.public_id, o.issuer_id, o.key_type, o.holder, o.intended_at, ox.certificate, ox.chain, o.key_uri,
       o.reference, o.asked,
       (SELECT min(CASE WHEN k.found = 1 AND k.not_before < k.intended_at THEN k.not_before ELSE k.intended_at END)
            FROM generations k WHERE k.public_id = g.public_id),
       g.renew_at, g.ask_again, i.trusts,
       (SELECT count(CASE WHEN s.issuer_id = g.issuer_id THEN 1 END) FROM generations s WHERE s.identity = i.id
            AND s.id > g.id AND s.state IN ('intended', 'orphaned', 'issued', 'rolled_back', 'revoked')),
       (SELECT json_array(a.public_id, a.state, a.issuer_id, a.asked) FROM generations a
            WHERE a.identity = i.id ORDER BY a.id DESC LIMIT 1),
       (SELECT count(*) FROM generations u WHERE u.identity = i.id AND u.shown = 1 AND u.number <> i.current
            AND u.revoked_at IS NULL AND u.not_after > ?)
FROM identities i
LEFT JOIN generations g ON g.identity = i.id AND g.number = i.current AND g.state NOT IN ('refused', 'orphaned')
LEFT JOIN x509 x ON x.generation = g.id
LEFT JOIN generations o ON o.identity = i.id AND o.state IN ('intended', 'issued') AND o.number > coalesce(i.current, 0)
LEFT JOIN x509 ox ON ox.generation = o.id
WHERE i.host = ? AND i.store = ?
ORDER BY i.id, o.number
"""
"""The issuer of what came later is compared in a CASE: in a WHERE, SQLite would go along all that it ever signed."""
_PIN = "INSERT INTO pins (issuer_id, fingerprint, pinned_at) VALUES (?, ?, ?)"
_BEFORE = 17  # columns before those of the intent; every column has its place in one of the two tuples
_AFTER = 4  # columns after the moments
_NONE = ("[]", None)


class SqlLedger:
    """The port Ledger over a database."""

    def __init__(self, database: Database, ledger_id: str | None) -> None:
        """Take an open database that this release can use, and its id; None stands for a ledger that does not exist."""
        self._database = database
        self.id = ledger_id

    def read(self, statement: str, parameters: tuple[t.Any, ...] = ()) -> Rows:
        """Return the rows of one query; for `queries` and `chain`."""
        return self._database.read(statement, parameters)

    def transaction(self) -> AbstractContextManager[Connection]:
        """Write what is no outcome of a run: checkpoints and archives. Everything inside or nothing."""
        return self._database.transaction()

    def remembered(self, host: str, store: str) -> Mapping[str, Remembered]:
        """Return everything known of one store, by name of the identity."""
        rows = self.read(REMEMBERED, (now(), now(), host, store))
        with self._database.edge():
            return {row[0]: _remembered(row) for row in rows}

    def intend(self, batch: Batch, intents: Sequence[Intent]) -> None:
        """Write down what is going to be done. Raises Held or Used: then nothing was written."""
        from . import chain
        from . import intents as opened

        with self._database.transaction() as connection:
            opened.open_all(connection, batch, intents)
            chain.append(connection, batch, chain.intended(intents))

    def record(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Write down what happened."""
        from . import chain, changes

        with self._database.transaction() as connection:
            changes.record(connection, batch, outcomes)
            chain.append(connection, batch, chain.happened(outcomes))

    def pin(self, issuer_id: str, roots: Sequence[str]) -> None:
        """Make these the trust anchors of an issuer."""
        at = now()
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM pins WHERE issuer_id = ?", (issuer_id,))
            connection.executemany(_PIN, [(issuer_id, root, at) for root in set(roots)])

    def pinned(self, issuer_id: str) -> tuple[str, ...]:
        """Return the trust anchors of an issuer, sorted."""
        rows = self.read("SELECT fingerprint FROM pins WHERE issuer_id = ? ORDER BY fingerprint", (issuer_id,))
        return tuple(row[0] for row in rows)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def _remembered(row: tuple[t.Any, ...]) -> Remembered:
    serial, certificate, not_after, revoked, links = row[12:_BEFORE]
    rest = _BEFORE + len(OpenIntent._fields)
    opened, moments, (trusts, doubted, asked, unproved) = row[_BEFORE:rest], row[rest:-_AFTER], row[-_AFTER:]
    fields = [
        *row[:12],
        int(serial, 16) if serial else None,
        certificate,
        moment(not_after) if not_after else None,
        tuple(map(tuple, json.loads(revoked))) if revoked not in _NONE else (),
        tuple(json.loads(links)) if links not in _NONE else (),
        _open_intent(opened) if opened[0] else None,
        *(moment(at) if at else None for at in moments),
        trusts,
        bool(doubted),
        Asked(*json.loads(asked)) if asked else None,
        bool(unproved),
    ]
    return Remembered(*fields)


def _open_intent(row: tuple[t.Any, ...]) -> OpenIntent:
    fields = [*row[:5], moment(row[5]), *row[6:]]
    return OpenIntent(*fields)
