# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Lists of directories that are older than the ledger, as after a backup: what they lost comes back before all else.

A list that is made of such a directory would let in again what was revoked since, with a number that clients have seen.
Whoever is about to have one made asks here first.
"""

from __future__ import annotations

import typing as t

from ..module_utils._core.errors import KeysteadError
from ..module_utils._core.model import Step
from ..module_utils._core.revoking import ListsKeys, RestoresLists
from ._ledger.port import Event, Outcome
from ._ledger.revocations import of_issuer, with_certificates
from ._serial import with_colons

if t.TYPE_CHECKING:
    import datetime as dt

    from ..module_utils._core.revoking import Revocation
    from ._ledger.chain import Readable
    from ._ledger.port import Batch

_OF_THE_KEY = "key_compromise"


class Records(t.Protocol):
    """What takes down what happens: a ledger, or the journal of an emergency."""

    def record(self, batch: Batch, outcomes: t.Sequence[Outcome]) -> None:
        """Write it down."""


class Older(t.NamedTuple):
    """An issuer whose list has less than the ledger knows, and what that is."""

    issuer: t.Any
    missing: tuple[Revocation, ...]

    @property
    def step(self) -> Step:
        """The step that brings it back."""
        count, who = len({one.serial_number for one in self.missing}), self.issuer.id
        what = f"{count} certificates" if count > 1 else "1 certificate"
        why = f"the list of {who} lacks {what} that the ledger calls revoked, as if it came from a backup"
        return Step("publish", why, who)


def known_revoked(ledger: Readable, issuer: t.Any, now: dt.datetime) -> list[Revocation]:
    """Return what the ledger calls revoked of an issuer and has not ended, in as much detail as its list has."""
    return (with_certificates if isinstance(issuer, ListsKeys) else of_issuer)(ledger, issuer.id, now)


def older(
    known: t.Sequence[Revocation], issuer: t.Any, beside: t.Container[int] = frozenset()
) -> Older | None:
    """Return what the list of an issuer lacks of what is known; not what somebody else brings back, by serial number.

    Raises KeysteadError where nobody can tell.
    """
    if not known or not isinstance(issuer, RestoresLists):
        return None
    lacking = issuer.lacks(known)
    missing = tuple(one for one in known if one.serial_number in lacking and one.serial_number not in beside)
    return Older(issuer, missing) if missing else None


def keyless(known: t.Sequence[Revocation], issuer: t.Any, told: t.Container[str] = frozenset()) -> str | None:
    """Say which keys stay lost: the ledger keeps no key of a certificate that no identity had, only what it is called.

    `told` are those whose certificates are at hand, by their ids. Raises KeysteadError where nobody can tell.
    """
    compromised = [one for one in known if one.certificate is None and one.revoked.reason == _OF_THE_KEY]
    if not compromised or not isinstance(issuer, ListsKeys):
        return None
    listed, who = issuer.listed_keys(), t.cast("t.Any", issuer).id
    lost = [one for one in compromised if one.public_id not in listed and one.public_id not in told]
    if not lost:
        return None
    numbers = ", ".join(dict.fromkeys(with_colons(one.serial_number) for one in lost))
    return (
        f"{who}: the ledger does not have the compromised keys of the certificates with serial number {numbers}, "
        "and no list names these keys any more; revoke those certificates again by path or pem"
    )


def bring_back(lost: Older, ledger: Records, batch: Batch) -> None:
    """Have a list tell again of what it lost, and record how that went. Raises KeysteadError."""
    try:
        lost.issuer.restore(lost.missing)
    except KeysteadError as error:
        _tell(lost, ledger, batch, Event("publish", lost.step.reason, "failed", str(error)))
        raise
    _tell(lost, ledger, batch, Event("publish", lost.step.reason, "ok"))


def _tell(lost: Older, ledger: Records, batch: Batch, event: Event) -> None:
    ledger.record(batch, [Outcome(lost.issuer.id, None, (event,))])
