# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of blast_radius: what an incident touches, how exposed each is, and what has to be done in which order."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.pki import MALFORMED
from .._given import given, is_path
from .._ledger.moments import moment, stamp
from .._recall import opened
from .._records.files import read
from .._rows.asked import selection
from .._rows.said import said
from .._rows.selection import Selection
from . import actions
from .affected import Asked, find
from .revocable import revocable
from .steps import Found, place, steps

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .._rows.row import Row
    from .actions import Record

WHO = "blast_radius"
LEAKED = "key_compromise"
_NAMED, _DAY, _NO_END = 5, 86400, 1 << 62


def answer(args: t.Mapping[str, t.Any], now: datetime) -> Record:
    """Return what the task returns. Raises KeysteadError; the ledger is opened to be read, and must be there."""
    about = asked(args, now, WHO)
    records = read(args["records"] or ())
    with opened(args, WHO) as ledger:
        touched = find(ledger, records, about)
        able = revocable(ledger, (one.row for one in touched))
    all_of_them = [
        Found(one.row, one.why, actions.verdict(one.row, stamp(now), revocable=one.row.key in able)) for one in touched
    ]
    found = sorted((one for one in all_of_them if one.verdict.actions), key=lambda one: _rank(one.row))
    without = [place(one.row) for one in found if not one.row.contact]
    return {
        "changed": False,
        "affected": [_said(one, now) for one in found],
        "actions": steps(found, args["reason"]),
        "totals": _totals(found, len(all_of_them)),
        "without_contact": without,
        **(_refusal(without) if args["contact_required"] and without else {}),
    }


def asked(args: t.Mapping[str, t.Any], now: datetime, who: str) -> Asked:
    """Return what an incident is about, as options say it; `who` begins what is said of a wrong one."""
    above = tuple(_authority(one, who) for one in args["authority"] or ())
    found = Asked(selection(args, now, who)._replace(states=()), above, args["reason"] == LEAKED)
    if found.rows == Selection() and not above:
        raise Misconfigured(
            f"{who}: nothing says what the incident is about; name a key, a certificate, an issuer, a host or the like"
        )
    return found


def _authority(said: str, who: str) -> x509.Certificate:
    content = given(said, f"{who}: option authority")[0]
    try:
        return x509.load_der_x509_certificate(content)
    except MALFORMED:
        shown = said if is_path(said) else "the PEM given"
        raise Misconfigured(f"{who}: option authority: {shown} is no certificate we can read; correct it") from None


def _rank(row: Row) -> tuple[t.Any, ...]:
    """Return what sorts the most exposed first: what is in use, in most places, for the longest time."""
    ends = _NO_END if row.not_after is None else moment(row.not_after).timestamp()
    return (not row.in_use, -_places(row), -ends, row.key)


def _places(row: Row) -> int:
    """Return in how many places it is: where it was delivered, or else its store, or where somebody saw it."""
    return max(len(row.live_paths), int(row.in_use))


def _said(one: Found, now: datetime) -> Record:
    row = one.row
    left = None if row.not_after is None else int((moment(row.not_after) - now).total_seconds()) // _DAY
    shown = {name: value for name, value in said(row, ()).items() if name != "findings"}
    return {
        **shown,
        "why": one.why,
        "exposure": {"in_use": row.in_use, "places": _places(row), "days_left": left},
        "solution": one.verdict.solution,
        "actions": [actions.said(row, action) for action in one.verdict.actions],
    }


def _totals(found: Sequence[Found], number: int) -> dict[str, int]:
    rows = [one.row for one in found]
    return {
        "affected": len(rows),
        "in_use": sum(row.in_use for row in rows),
        "observed": sum(not row.managed for row in rows),
        "settled": number - len(rows),
        "hosts": len({row.host for row in rows if row.host}),
        "services": len({row.service for row in rows if row.service}),
        "contacts": len({row.contact for row in rows if row.contact}),
    }


def _refusal(without: Sequence[str]) -> Record:
    more = f" and {len(without) - _NAMED} more" if without[_NAMED:] else ""
    return {
        "failed": True,
        "msg": f"{WHO}: nobody answers for {', '.join(without[:_NAMED])}{more}; declare contact for each, or set "
        "contact_required: false",
    }
