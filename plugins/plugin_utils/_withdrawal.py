# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Takes credentials back at whoever signed them (`revoke_on_absent`); the intent is written down first (A1)."""

from __future__ import annotations

import time
import typing as t

from ..module_utils._core import pki
from ..module_utils._core.errors import KeysteadError, Misconfigured
from ..module_utils._core.model import Done
from ..module_utils._core.ports import Revoker
from ._ledger.port import Event, Outcome, RevokedChange

if t.TYPE_CHECKING:
    from ._ledger.port import Batch, Ledger
    from ._signers import Signers
    from ._work import Work

REASON = "cessation_of_operation"  # RFC 5280, 5.3.1


def revoke(works: t.Sequence[Work], signers: Signers, ledger: Ledger, batch: Batch) -> None:
    """Revoke the current credential of each identity, and write down that and why."""
    for work in works:
        reason, started = work.reason("revoke"), time.monotonic()
        try:
            der, issuer_id, number = _what(work)
            ledger.record(batch, [Outcome(work.name, number, (Event("revoke", reason, "pending"),))])
            change = _revoked(signers, issuer_id, der)
            ledger.record(batch, [Outcome(work.name, number, (), (change,))])
        except KeysteadError as error:
            work.error = error
        work.done.append(Done("revoke", reason, time.monotonic() - started, str(work.error) if work.error else None))


def check_can_revoke(work: Work, signers: Signers) -> None:
    """Find who can revoke before anything is touched. Raises Misconfigured."""
    _revoker(signers, _what(work)[1])


def _what(work: Work) -> tuple[bytes, str, int | None]:
    """Return the certificate to revoke, who signed it, and which generation it is."""
    if work.found and work.found.certificate and work.found.issuer_id:
        return work.found.certificate, work.found.issuer_id, work.found.generation
    remembered = work.remembered
    if remembered and remembered.certificate and remembered.issuer_id:
        return pki.der_certificates(remembered.certificate.encode())[0], remembered.issuer_id, remembered.generation
    raise Misconfigured(
        f"machine_identity: identities[{work.name}].revoke_on_absent: neither host nor ledger has a certificate of it; "
        "leave revoke_on_absent out"
    )


def _revoked(signers: Signers, issuer_id: str, der: bytes) -> RevokedChange:
    answer = _revoker(signers, issuer_id).revoke([der], REASON)[0]
    if isinstance(answer, KeysteadError):
        raise answer
    return RevokedChange(answer.reason, answer.when)


def _revoker(signers: Signers, issuer_id: str) -> Revoker:
    issuer = signers.by_id(issuer_id)
    if not isinstance(issuer, Revoker):
        raise Misconfigured(f"{issuer_id}: it cannot revoke; leave revoke_on_absent out")
    return issuer
