# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a host has and the ledger never heard of, since it was lost, replaced or restored: written down as found."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ..module_utils._core import credentials
from ..module_utils._core.adopted import adopted_id
from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.ports import Revoked, Revoker, Unknown
from ._intent import intent
from ._ledger.port import Event, Held, Outcome, RevokedChange, Used
from ._outcomes import UNKNOWN, found_unknown
from ._serial import with_colons
from ._signed import issued
from ._work import failing, is_foreign, plan

if t.TYPE_CHECKING:
    from datetime import datetime

    from ..module_utils._core.ports import Good
    from ._ledger.port import Batch, Intent, Ledger
    from ._signers import Signers
    from ._work import Work

    Status = Good | Revoked | Unknown


EVERYTHING = "*"
"""Whom an event is about that is about all identities of its store."""


def adopt(works: t.Sequence[Work], signers: Signers, ledger: Ledger, batch: Batch, holder: str) -> list[str]:
    """Write down what the host has of these, before it is replaced (A1); return a warning for each that cannot be.

    An issuer that does not answer ends the way of what it signed: what is replaced now, nobody could ask about later.
    """
    found: list[tuple[Work, Status | None]] = []
    for work in works:
        with failing([work]):
            found += [(one, _status(one, signers, batch.at)) for one in _lacking(work)]
    known = [(one, status) for one, status in found if not isinstance(status, Unknown)]
    told = write_down(known, ledger, batch, holder, noted=(broken(),))
    remembered = ledger.remembered(batch.host, batch.store)
    for work in works:
        work.remembered = remembered.get(work.name)
    return [*filter(None, (_why_not(one, status) for one, status in found if one.after is None)), *told]


def _lacking(work: Work) -> t.Iterator[Work]:
    """Yield each generation that the ledger lacks as work of its own: those beside the current one, then that."""
    found = work.found
    if found is None:
        return
    identity = work.identity._replace(state="present")
    for one in found.beside:
        if one.number in found.others:
            seen = found._replace(certificate=one.certificate, issuer_id=one.issuer_id, key_uri=one.key_uri)
            yield replace(work, identity=identity, found=seen, number=one.number)
    if (found.generation or 0) > work.known.newest:
        yield replace(work, identity=identity, number=found.generation)


def broken(lost: str | None = None) -> Outcome:
    """Return that the chain of events does not tell how a store came to hold what it holds; `lost` is a ledger's id."""
    what = f"a store of the lost ledger {lost} holds" if lost else "a store holds and this ledger never saw"
    reason = f"the chain of events is broken here: what {what} is recorded as it was found, and not as it was made"
    return Outcome(EVERYTHING, None, (Event("rebuild", reason),))


def write_down(
    found: t.Sequence[tuple[Work, Status | None]],
    ledger: Ledger,
    batch: Batch,
    holder: str,
    *,
    noted: tuple[Outcome, ...] = (),
) -> list[str]:
    """Write down what is believed, with its status at its issuer; return a warning for each key that others have.

    What is `noted` comes before it, if there is any. What was written down has an `after`.
    """
    intents = [_intent(work, holder) for work, _status in found]
    warnings = intended(intents, ledger, batch)
    names = {intent.name for intent in intents}
    outcomes = [
        found_unknown(work, issued(_certificate(work), b""), revocation(status))
        for work, status in found
        if work.name in names
    ]
    if outcomes:
        ledger.record(batch, [*noted, *outcomes])
    return warnings


def _why_not(work: Work, status: Status | None) -> str | None:
    """Return what is to be said of a generation that was not written down; what stays, the next run can look at."""
    if _stays(work):
        return f"{work.name}: {_STRANGE}" if isinstance(status, Unknown) else None
    number = with_colons(work.credential.facts.serial_number) if work.credential else "that cannot be read"
    who = work.found.issuer_id if work.found else None
    why = "no issuer that is named confirms it" if isinstance(status, Unknown) else "somebody else has its key"
    return (
        f"{work.name}: the ledger never heard of generation {work.number}, serial number {number} of {who}, and it is "
        f"not written down, since {why}; should it have to be revoked, name it to cert_revoke by serial_number"
    )


def _stays(work: Work) -> bool:
    """Tell whether this is about the current generation, and nothing is done to it."""
    return not work.steps and work.found is not None and work.number == work.found.generation


_STRANGE = "its issuer does not know what the host shows as its certificate; the ledger lists it after its next renewal"


def _status(work: Work, signers: Signers, now: datetime) -> Status | None:
    """Read the certificate here, and ask who signed it: a host could show anything, and say anything of it."""
    found = work.found
    try:
        work.credential = credentials.credential((found and found.certificate) or b"")
    except ValueError:
        work.credential = None
    if found is None or work.credential is None:
        return Unknown()
    if _stays(work) and plan(work, found._replace(credential=work.credential), now):
        return Unknown()
    if is_foreign(found):  # no issuer of ours can say
        return None if work.identity.adopt else Unknown()
    try:
        issuer = signers.by_id(str(found.issuer_id))
    except Misconfigured:
        return Unknown()
    return issuer.status(found.certificate or b"") if isinstance(issuer, Revoker) else None


def revocation(status: Status | None) -> RevokedChange | None:
    """Return what the ledger is told of a status."""
    return RevokedChange(status.reason, status.when) if isinstance(status, Revoked) else None


def _intent(work: Work, holder: str) -> Intent:
    found, credential = work.found, work.credential
    if found is None or credential is None:
        return intent(work, UNKNOWN, holder)
    work.number, work.public_id = work.number or found.generation, credential.public_id
    told = intent(work, UNKNOWN, holder, adopted_id(credential) if is_foreign(found) else found.issuer_id)
    return told._replace(
        found=credential.credential_id,
        shared=is_foreign(found),
        kind=credential.kind,
        key_type=credential.facts.key_type,
        key_uri=found.key_uri,
        asked=told.asked if is_foreign(found) else None,
    )


def intended(intents: list[Intent], ledger: Ledger, batch: Batch) -> list[str]:
    """Open the intents, but for those of another run, which records them itself, and for keys that others have."""
    warnings: list[str] = []
    refused: set[str] = set()
    while intents:
        try:
            ledger.intend(batch, intents)
            break
        except Held as held:
            refused = set(held.names)
        except Used as used:
            refused = set(used.users)
            warnings += [
                f"{name}: the ledger knows its key as that of {user}, and lists it here after its next renewal"
                for name, user in sorted(used.users.items())
            ]
        intents[:] = [intent for intent in intents if intent.name not in refused]
    return warnings


def _certificate(work: Work) -> bytes:
    return credentials.as_text(work.found.certificate) if work.found and work.found.certificate else b""
