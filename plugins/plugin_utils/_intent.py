# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger is told before a generation of an identity is made (A1)."""

from __future__ import annotations

import typing as t

from ..module_utils._core.errors import Denied
from ._accepting import asked
from ._ledger.port import Intent
from ._ordering import reference

if t.TYPE_CHECKING:
    from ..module_utils._core.ports import Issuer
    from ._work import Work


def intent(work: Work, reason: str, holder: str, issuer_id: str | None = None) -> Intent:
    """Return what the ledger is told before a generation of an identity is made; by default, its issuer signs."""
    declaration = work.declaration
    return Intent(
        name=work.name,
        number=work.number or 1,
        public_id=work.public_id,
        issuer_id=issuer_id or issuer_of(work).id,
        key_type=work.identity.key.type,
        kind=work.identity.kind,
        scope=_scope(work),
        custody=work.identity.key.custody,
        key_uri=work.key_uri,
        reason=reason,
        contact=declaration.contact,
        service=declaration.service,
        labels=declaration.labels,
        holder=holder,
        lost=work.lost_since is not None,
        reference=reference(work),
        asked=asked(work.identity),
        trusts=trusts_of(work),
    )


def _scope(work: Work) -> str | None:
    """Return the declared scope; who rotates, and may not know of one, takes nothing out of it."""
    declared, remembered = work.declaration.scope, work.remembered
    return remembered.scope if work.known.rotation and remembered and declared is None else declared


def trusts_of(work: Work) -> str | None:
    """Return who the peers are; who rotates, and may not know of them, takes nothing out of the record."""
    declared, remembered = work.declaration.trusts, work.remembered
    return remembered.trusts if work.known.rotation and remembered and declared is None else declared


def issuer_of(work: Work) -> Issuer:
    """Return who signs. Raises Denied where nobody does."""
    if work.issuer is None:  # refused by the declaration
        raise Denied(f"{work.name}: nobody is named who could sign")
    return work.issuer
