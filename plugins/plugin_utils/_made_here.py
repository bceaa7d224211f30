# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys that the controller makes for hosts: each for one generation, in memory alone, and forgotten with the run.

It goes down once, with the generation, and to the copies that are to hold it. A run that is cut off takes it along, so
what was signed for it is of use to nobody, and an orphan.
"""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ..module_utils._core import pki
from ..module_utils._core.errors import KeysteadError
from ..module_utils._core.keys import generate, spki_sha256
from ._accepting import listed
from ._issuers.facts import facts_of
from ._ledger.port import Event, Orphaned, Outcome, Refused
from ._serial import with_colons
from ._signed import issued
from ._work import failing

if t.TYPE_CHECKING:
    from ._ledger.port import Batch, Change, Issued, Ledger, OpenIntent
    from ._work import Work

_WHY = "the key of a run that was cut off went with it"


def stage(works: t.Sequence[Work], ledger: Ledger, batch: Batch) -> list[str]:
    """Make the next keys and their requests, and write down what the keys before lost; return warnings of these."""
    told = []
    for work in works:
        with failing([work]):
            lost = _lost(work)
            if lost is not None:
                told += _forsake(work, lost, ledger, batch)
            work.made = generate(work.identity.key.type)
            work.public_id = spki_sha256(work.made.public_key())
            work.csr = pki.request(work.identity.subject, work.made)
    return told


def _lost(work: Work) -> OpenIntent | None:
    """Return what was asked for a key that is neither here nor on the host."""
    intent, found = work.remembered.open_intent if work.remembered else None, work.found
    if intent is None or found is None or intent.number in (found.generation, *found.others):
        return None
    return intent


def _forsake(work: Work, intent: OpenIntent, ledger: Ledger, batch: Batch) -> list[str]:
    """Write down what was, or may have been, signed for a key that nobody has."""
    signed, change = _answer(work, intent)
    if isinstance(change, Refused):
        ledger.record(batch, [Outcome(work.name, intent.number, (), (change,))])
        return []
    what = f"certificate {with_colons(signed.serial_number)}" if signed else "a certificate that it may have signed"
    said = f"{what} of {intent.issuer_id} is for key {intent.public_id}, which nobody has any more"
    event = Event("issue", _WHY, "orphaned", said)
    ledger.record(batch, [Outcome(work.name, intent.number, (event,), (change,))])
    return [f"{work.name}: {_WHY}; {what} of {intent.issuer_id} is recorded as an orphan"]


def _answer(work: Work, intent: OpenIntent) -> tuple[Issued | None, Change]:
    """Return what was signed, as far as ledger and issuer know, and what the ledger is to be told."""
    if intent.certificate is not None:
        return issued(intent.certificate.encode(), b""), Orphaned()
    issuer = work.issuer
    if issuer is None or issuer.id != intent.issuer_id:
        return None, Orphaned()
    try:
        for record in listed(issuer, intent.since - timedelta(minutes=5)):
            if record.public_id == intent.public_id:
                found = issued(record.generation.parts["certificate"].content, b"")
                return found, Orphaned(found)
    except KeysteadError:
        return None, Orphaned()
    return None, Orphaned() if facts_of(issuer.id).may_forget else Refused()
