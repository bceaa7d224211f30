# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which credentials somebody here can revoke: not each issuer can, and what was adopted is of somebody else."""

from __future__ import annotations

import typing as t

from ...module_utils._core.model import ADOPTED, OBSERVED
from .._issuers.facts import FACTS
from .._rows.row import Key, Row

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from .._ledger.chain import Readable

_NAMES = "SELECT DISTINCT g.issuer_id, x.issuer_dn FROM generations g JOIN x509 x ON x.generation = g.id"


def revocable(ledger: Readable, rows: Iterable[Row]) -> set[Key]:
    """Return the keys of the rows that an issuer of ours can be asked to revoke.

    Whatever was adopted is so where an issuer of ours signs by the same name: cert_revoke asks who knows it.
    """
    able, others = set[Key](), list[Row]()
    for row in rows:
        if _revokes(row.issuer_id):
            able.add(row.key)
        elif (row.issuer_id or "").startswith((ADOPTED, OBSERVED)):
            others.append(row)
    ours = {name for issuer_id, name in ledger.read(_NAMES) if _revokes(issuer_id)} if others else set[str]()
    return able | {row.key for row in others if row.issuer in ours}


def _revokes(issuer_id: str | None) -> bool:
    facts = FACTS.get((issuer_id or "").partition(":")[0])
    return facts is not None and facts.revokes
