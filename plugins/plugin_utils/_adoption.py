# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a host has and the ledger never heard of, since it was lost, replaced or restored: written down as found."""

from __future__ import annotations

import typing as t

from ..module_utils._core import credentials
from ..module_utils._core.adopted import adopted_id
from ..module_utils._core.ports import Revoked, Revoker, Unknown
from ._intent import intent
from ._ledger.port import Event, Held, Outcome, RevokedChange, Used
from ._outcomes import UNKNOWN, found_unknown
from ._signed import issued
from ._work import is_foreign, plan

if t.TYPE_CHECKING:
    from datetime import datetime

    from ..module_utils._core.ports import Good
    from ._ledger.port import Batch, Intent, Ledger
    from ._work import Work

    Status = Good | Revoked | Unknown


EVERYTHING = "*"
"""Whom an event is about that is about all identities of its store."""


def adopt(works: t.Sequence[Work], ledger: Ledger, batch: Batch, holder: str) -> list[str]:
    """Write down what the host has of these, and return a warning for each that cannot be: nothing of it is undone."""
    statuses = {work.name: _status(work, batch.at) for work in works}
    warnings = [f"{name}: {_STRANGE}" for name, status in statuses.items() if isinstance(status, Unknown)]
    works = [work for work in works if not isinstance(statuses[work.name], Unknown)]
    return warnings + write_down(works, statuses, ledger, batch, holder, noted=(broken(),))


def broken(lost: str | None = None) -> Outcome:
    """Return that the chain of events does not tell how a store came to hold what it holds; `lost` is a ledger's id."""
    what = f"a store of the lost ledger {lost} holds" if lost else "a store holds and this ledger never saw"
    reason = f"the chain of events is broken here: what {what} is recorded as it was found, and not as it was made"
    return Outcome(EVERYTHING, None, (Event("rebuild", reason),))


def write_down(  # noqa: PLR0913 - what it needs to know
    works: t.Sequence[Work],
    statuses: t.Mapping[str, Status | None],
    ledger: Ledger,
    batch: Batch,
    holder: str,
    *,
    noted: tuple[Outcome, ...] = (),
) -> list[str]:
    """Write down what is believed, with its status at its issuer, by name; return a warning for each that cannot be.

    What is `noted` comes before them, if there are any.
    """
    intents = {work.name: _intent(work, holder) for work in works}
    warnings = intended(intents, ledger, batch)
    outcomes = [
        found_unknown(work, issued(_certificate(work), b""), revocation(statuses[work.name]))
        for work in works
        if work.name in intents
    ]
    if outcomes:
        ledger.record(batch, [*noted, *outcomes])
    return warnings


_STRANGE = "its issuer does not know what the host shows as its certificate; the ledger lists it after its next renewal"


def _status(work: Work, now: datetime) -> Status | None:
    """Read the certificate here, and ask who signed it: a host could show anything, and say anything of it."""
    certificate = (work.found and work.found.certificate) or b""
    try:
        work.credential = credentials.credential(certificate)
    except ValueError:
        return Unknown()
    if work.found is None or plan(work, work.found._replace(credential=work.credential), now):
        return Unknown()
    if is_foreign(work.found):
        return None  # no issuer of ours can say
    return work.issuer.status(certificate) if isinstance(work.issuer, Revoker) else None


def revocation(status: Status | None) -> RevokedChange | None:
    """Return what the ledger is told of a status."""
    return RevokedChange(status.reason, status.when) if isinstance(status, Revoked) else None


def _intent(work: Work, holder: str) -> Intent:
    if work.found is not None and work.credential is not None:
        work.number, work.public_id = work.found.generation, work.credential.public_id
    if work.found is None or work.credential is None:
        return intent(work, UNKNOWN, holder)
    found = work.credential.credential_id
    if is_foreign(work.found):
        return intent(work, UNKNOWN, holder, adopted_id(work.credential))._replace(shared=True, found=found)
    return intent(work, UNKNOWN, holder)._replace(found=found)


def intended(intents: dict[str, Intent], ledger: Ledger, batch: Batch) -> list[str]:
    """Open the intents, but for those of another run, which records them itself, and for keys that others have."""
    warnings: list[str] = []
    refused: set[str] = set()
    while intents:
        try:
            ledger.intend(batch, list(intents.values()))
            break
        except Held as held:
            refused = set(held.names)
        except Used as used:
            refused = set(used.users)
            warnings += [
                f"{name}: the ledger knows its key as that of {user}, and lists it here after its next renewal"
                for name, user in sorted(used.users.items())
            ]
        for name in refused:
            intents.pop(name, None)
    return warnings


def _certificate(work: Work) -> bytes:
    return credentials.as_text(work.found.certificate) if work.found and work.found.certificate else b""
