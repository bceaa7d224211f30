# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is of no use any more and still counts: signed and never put to use, or replaced and never revoked (rule R1)."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._ledger import revocations
from .._ledger.port import INTENT_HOLDS, UNPLACED
from .decide import few
from .kept import fits
from .lost import look_for
from .recorded import asked_by, kept_of
from .wanted import WHO

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...module_utils._core.ports import Issuer
    from .._ledger.chain import Readable
    from .kept import Kept
    from .wanted import Entry

_ORPHANED = {
    "orphaned": "orphaned: it was signed, and its answer was lost or refused",
    "issued": "orphaned: it was signed, and the run that asked for it never came to install it",
}
_SUPERSEDED = {
    "superseded": "superseded: another one took its place",
    "withdrawn": "superseded: its identity is absent",
    "rolled_back": "superseded: its host went back to another one",
}
_UNPLACED = "orphaned: its issuer lists it, and no host showed it"
_OVER = {*_ORPHANED, *_SUPERSEDED, "revoked", "refused"}


def sweep(
    ledger: Readable, entry: Entry, issuers: Callable[[], Sequence[Issuer]], now: dt.datetime, *, waits: bool
) -> tuple[list[Kept], list[str]]:
    """Return what an entry sweeps together, each with why, and what is to be said of what cannot be found.

    With `waits`, what a host may have installed is left out: a run that was cut off could not say that it did.
    """
    whys, by = _ORPHANED if entry.orphaned else _SUPERSEDED, asked_by(entry)
    before = now - dt.timedelta(seconds=INTENT_HOLDS)  # until then, its run may be about to install it
    rows = revocations.idle(ledger, by, list(whys), now, before)
    found = [kept_of(row)._replace(why=_why(row, whys)) for row in rows if _is_over(ledger, row)]
    told: list[str] = []
    if entry.orphaned and entry.host != UNPLACED:
        listed, told = look_for(ledger, entry, issuers, now)
        found += listed
        told += _left_out(ledger, by, now, before)
    found = [one for one in found if fits(entry, one, now)]
    unsure = [one for one in found if waits and one.holder and one.holder.state == "issued"]
    return [one for one in found if one not in unsure], [*told, *_unsure(unsure)]


def _unsure(kept: Sequence[Kept]) -> list[str]:
    """Say what may be installed: the next run of its identity looks, and the ledger knows."""
    if not kept:
        return []
    places = list(dict.fromkeys(f"{one.holder.identity} on {one.holder.host}" for one in kept if one.holder))
    said = (
        f"{WHO}: {len(kept)} certificates are left out, since they may be installed: {few(places)}; the runs that "
        "asked for them never came back to say so. Run machine_identity there, which looks, or, for a host that is "
        "gone, sweep that host alone with replaced_first: false"
    )
    return [said]


def _why(row: revocations.Record, whys: dict[str, str]) -> str:
    return _UNPLACED if row["host"] == UNPLACED else whys[row["state"]]


def _is_over(ledger: Readable, row: revocations.Record) -> bool:
    """Tell whether nobody else uses the same certificate: a pair that was adopted may be on many hosts."""
    same = revocations.credentials(ledger, {"credential_id": row["credential_id"]})
    return all(one["state"] in _OVER for one in same)


def _left_out(ledger: Readable, by: dict[str, str], now: dt.datetime, before: dt.datetime) -> list[str]:
    """Say what issuers list and no host showed: somebody may use that, so it is swept by that name alone."""
    if "host" in by:
        return []
    number = len(revocations.idle(ledger, {**by, "host": UNPLACED}, list(_ORPHANED), now, before))
    if not number:
        return []
    said = (
        f"{WHO}: {number} certificates that their issuers list, and no host showed to ledger_rebuild, are left out, "
        "since somebody may use them; look at them with host: '' beside orphaned: true"
    )
    return [said]
