# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger knows of who trusts whom: the certificates that are in use, or may be, and whose peers have them."""

from __future__ import annotations

import json
import typing as t

from .moments import stamp
from .port import UNPLACED

if t.TYPE_CHECKING:
    from datetime import datetime

    from .chain import Readable

_IN_USE = """
SELECT i.host, i.store, i.name, i.service, g.number, g.issuer_id, x.certificate, x.chain,
    CASE WHEN g.number <> i.current AND g.state <> 'issued' THEN 1 ELSE 0 END
FROM generations g JOIN identities i ON i.id = g.identity JOIN x509 x ON x.generation = g.id
WHERE g.not_after > ? AND g.revoked_at IS NULL AND (
    g.state NOT IN ('refused', 'orphaned') AND (
        ((i.current = g.number OR g.shown = 1) AND i.state IN ('present', 'released')) OR g.state = 'issued'
        OR EXISTS (SELECT 1 FROM deliveries d
            WHERE d.generation = g.id AND d.withdrawn_at IS NULL AND d.succeeded_at IS NULL))
    OR g.state = 'orphaned' AND i.host = ? AND NOT EXISTS (SELECT 1 FROM generations o
        WHERE o.credential_id = g.credential_id AND o.state NOT IN ('refused', 'orphaned')))
ORDER BY i.host, i.store, i.name, g.number
"""
_ANY = "SELECT 1 FROM generations WHERE not_after > ? LIMIT 1"
_SAID = """
SELECT name, trusts FROM identities WHERE host = ? AND state IN ('present', 'released') AND current IS NOT NULL
ORDER BY name, store
"""


class InUse(t.NamedTuple):
    """A generation that is in use, or about to be: certificate and chain are PEM.

    One that was `replaced` may still be shown by its service: nobody saw it use another one.
    """

    host: str
    store: str
    name: str
    service: str | None
    generation: int
    issuer_id: str
    certificate: str
    chain: str
    replaced: int = 0


class Peers(t.NamedTuple):
    """What peers have in use, and why everybody counts as one, where everybody does.

    `knows_any` tells whether the ledger knows any certificate that has not ended, be it revoked or withdrawn.
    """

    rows: list[InUse]
    why_all: str
    knows_any: bool


def peers(ledger: Readable, host: str, now: datetime) -> Peers:
    """Return what the peers of a host have in use.

    Nobody is left out because something is not known: not where an identity of the host does not say whom it trusts,
    not where it names what the ledger has never heard of, and not those that are of no service. What was revoked, or
    has ended, is needed by nobody. What was released to plain files is in use until it ends, and so is what a rebuild
    found by its issuer alone: nobody knows who has it, and a service may show it still.
    """
    rows = [InUse(*row) for row in ledger.read(_IN_USE, (stamp(now), UNPLACED))]
    knows_any = bool(rows) or bool(ledger.read(_ANY, (stamp(now),)))
    said = ledger.read(_SAID, (host,))
    why_all = _why_all(ledger, host, said)
    if why_all:
        return Peers(rows, why_all, knows_any)
    named = {tuple(pair) for _name, trusts in said for pair in json.loads(trusts)}
    services = {name for kind, name in named if kind == "service"}
    counting = [
        row
        for row in rows
        if ("issuer", row.issuer_id) in named or row.service in services or (services and row.service is None)
    ]
    return Peers(counting, "", knows_any)


def _why_all(ledger: Readable, host: str, said: t.Sequence[tuple[t.Any, ...]]) -> str:
    if not said:
        return f"the ledger has no identity of {host} that could say whom it trusts"
    known = {
        "service": {row[0] for row in ledger.read("SELECT DISTINCT service FROM identities")},
        "issuer": {row[0] for row in ledger.read("SELECT DISTINCT issuer_id FROM generations")},
    }
    for name, trusts in said:
        if trusts is None:
            return f"{name} of {host} does not say whom it trusts"
        for kind, peer in json.loads(trusts):
            if peer not in known[kind]:
                return f"{name} of {host} trusts {kind} {peer}, which the ledger does not know"
    return ""
