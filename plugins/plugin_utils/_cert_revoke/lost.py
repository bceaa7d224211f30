# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Answers that got lost: what may have been signed for a key is looked for where the issuer lists what it signed."""

from __future__ import annotations

import datetime as dt
import typing as t

from ...module_utils._core import credentials
from ...module_utils._core.errors import KeysteadError
from ...module_utils._core.ports import Lister
from .._issuers.facts import facts_of
from .._ledger import queries, revocations
from .._ledger.moments import moment
from .._revocation_list import SKEW
from .kept import Holder
from .recorded import asked_by, parsed
from .wanted import WHO

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ...module_utils._core.ports import Issuer
    from .._ledger.chain import Readable
    from .kept import Kept
    from .wanted import Entry

_SLACK = dt.timedelta(minutes=5)  # by which clocks may differ
_WHY = "orphaned: its answer was lost, and its issuer lists it"
Row = revocations.Record


def look_for(
    ledger: Readable, entry: Entry, issuers: Callable[[], Sequence[Issuer]], now: dt.datetime
) -> tuple[list[Kept], list[str]]:
    """Return what was signed for keys whose answers were lost, and what is to be said of those nobody can find."""
    rows = [row for row in revocations.lost(ledger, asked_by(entry)) if _is_early(row, entry, now)]
    if not rows:
        return [], []
    able = {issuer.id: issuer for issuer in issuers()}
    known = queries.credentials(ledger)
    found: list[Kept] = []
    told: list[str] = []
    for issuer_id in dict.fromkeys(row["issuer_id"] for row in rows):
        mine = [row for row in rows if row["issuer_id"] == issuer_id]
        listed, said = _listed(able.get(issuer_id), mine)
        told += said
        for row in mine if listed is not None else ():
            kept = [one for one in (listed or {}).get(row["public_id"], ()) if _is_new(ledger, one, known, now)]
            found += [one._replace(holder=_holder(row), issuer_id=issuer_id, why=_WHY) for one in kept]
            told += [] if kept or not facts_of(issuer_id).may_forget else [_nothing(row)]
    return found, told


def _is_early(row: Row, entry: Entry, now: dt.datetime) -> bool:
    at = moment(row["intended_at"])
    return entry.issued_before is None or at < entry.issued_before or at > now + SKEW


def _listed(issuer: Issuer | None, rows: Sequence[Row]) -> tuple[dict[str, list[Kept]] | None, list[str]]:
    """Return what an issuer lists for the keys of orphans, by key; None and the reason where it cannot be had."""
    if issuer is None:
        return None, [_unfound(row, "name it in issuers, so that it can be asked for") for row in rows]
    if not isinstance(issuer, Lister):
        remedy = "it cannot list what it signed; have who runs it look for that key, and revoke by serial_number or pem"
        return None, [_unfound(row, remedy) for row in rows]
    keys, since = {row["public_id"] for row in rows}, min(moment(row["intended_at"]) for row in rows)
    found: dict[str, list[Kept]] = {}
    try:
        for record in issuer.issued(since - _SLACK):
            if record.public_id in keys:
                der = credentials.encoded(record.generation.parts["certificate"].content)
                found.setdefault(record.public_id, []).append(parsed(der)._replace(issued_at=record.issued_at))
    except KeysteadError as error:
        return None, [_unfound(rows[0], f"{error}; run again") + _more(rows)]
    return found, []


def _is_new(ledger: Readable, kept: Kept, known: frozenset[str], now: dt.datetime) -> bool:
    """Tell whether the ledger has not heard of a certificate: with the same key another run may have got its own."""
    if kept.fingerprint in known or kept.not_after <= now:
        return False
    return not revocations.strangers(ledger, {"credential_id": kept.fingerprint})


def _holder(row: Row) -> Holder:
    return Holder(
        row["host"], row["store"], row["identity"], row["generation"], None, row["service"], row["key_type"],
        row["custody"], row["row"], row["identity_row"], "orphaned",
    )  # fmt: skip


def _nothing(row: Row) -> str:
    return _unfound(row, "it lists nothing for that key: it signed nothing, or it keeps nothing of what it signs")


def _unfound(row: Row, why: str) -> str:
    at = f"{moment(row['intended_at']):%Y-%m-%d %H:%M} UTC"
    return (
        f"{WHO}: what {row['issuer_id']} may have signed after {at} for {row['identity']} on {row['host']}, "
        f"key {row['public_id']}, cannot be found: {why}"
    )


def _more(rows: Iterable[Row]) -> str:
    further = len(list(rows)) - 1
    return f" ({further} more like it)" if further else ""
