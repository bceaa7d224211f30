# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger knows of who trusts whom: the certificates that are in use, and whose peers have them."""

from __future__ import annotations

import typing as t

from .moments import stamp

if t.TYPE_CHECKING:
    from datetime import datetime

    from .chain import Readable

_IN_USE = """
SELECT i.host, i.store, i.name, i.service, g.number, g.issuer_id, x.certificate, x.chain
FROM generations g JOIN identities i ON i.id = g.identity JOIN x509 x ON x.generation = g.id
WHERE g.not_after > ? AND g.revoked_at IS NULL AND g.state NOT IN ('refused', 'orphaned') AND (
    (i.current = g.number AND i.state IN ('present', 'released')) OR g.state = 'issued'
    OR EXISTS (SELECT 1 FROM deliveries d
        WHERE d.generation = g.id AND d.withdrawn_at IS NULL AND d.succeeded_at IS NULL))
ORDER BY i.host, i.store, i.name, g.number
"""


class InUse(t.NamedTuple):
    """A generation that is in use, or about to be: certificate and chain are PEM."""

    host: str
    store: str
    name: str
    service: str | None
    generation: int
    issuer_id: str
    certificate: str
    chain: str


def peers(ledger: Readable, host: str, now: datetime) -> tuple[list[InUse], str]:
    """Return what the peers of a host have in use, and why everybody counts as one, where everybody does.

    What was revoked, or has ended, is needed by nobody. What was released to plain files is in use until it ends.
    """
    rows = [InUse(*row) for row in ledger.read(_IN_USE, (stamp(now),))]
    return rows, f"no identity of {host} says whom it trusts"
