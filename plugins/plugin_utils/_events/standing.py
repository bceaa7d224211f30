# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What there is to tell of rows as they stand now: pure, so that the same rows tell the same whoever asks again."""

from __future__ import annotations

import hashlib
import typing as t

from .._ledger.moments import stamp
from .._rows.findings import findings
from .event import (
    CRITICAL,
    DUPLICATE_KEY,
    EXPIRED,
    EXPIRING,
    FINDING,
    NOT_IN_INVENTORY,
    NOTICE,
    REVOKED,
    WARNING,
    Event,
)
from .thresholds import passed

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from .._policy.policy import Policy
    from .._rows.alike import Alike
    from .._rows.row import Row
    from .._rows.strength import Broken

Finding = dict[str, str]
_ELSEWHERE = ("expired", "expires_soon", "revoked")
"""Findings that have an event of their own, which says it at the moment that the rulebook wants."""
_DUPLICATES = ("same_certificate", "shared_key")
_GRAVE = ("weak_key", "weak_signature")


class Known(t.NamedTuple):
    """What rows are judged by."""

    policy: Policy
    alike: Alike
    broken: Broken
    thresholds: tuple[str, ...]
    now: datetime


def events(rows: Iterable[Row], known: Known) -> Iterator[Event]:
    """Yield what there is to tell of rows, each row once."""
    for row in rows:
        yield from _of(row, known)


def _of(row: Row, known: Known) -> Iterator[Event]:
    if row.revoked_at is not None:
        if not _has_ended(row, known.now):
            yield _revoked(row, row.revoked_at)
    elif row.fingerprint and not (_has_ended(row, known.now) or _is_held(row, known.alike)):
        yield from _unknown(row)
    if row.in_use:
        yield from _ends(row, known)
        yield from _found(row, known)


def _ends(row: Row, known: Known) -> Iterator[Event]:
    threshold = passed(row, known.thresholds, known.now)
    if row.not_after is not None and _has_ended(row, known.now):
        message = f"{_called(row)} has ended on {row.not_after[:16]}Z, and is in use"
        yield Event(EXPIRED, _key(row), CRITICAL, message, row=row)
    elif row.not_after is not None and threshold is not None:
        left = f"{threshold} of its life" if threshold.endswith("%") else threshold
        message = f"{_called(row)} ends on {row.not_after[:16]}Z: no more than {left} is left"
        yield Event(EXPIRING, (*_key(row), threshold), WARNING, message, threshold, row)


def _revoked(row: Row, at: str) -> Event:
    used = ", and it is in use" if row.in_use else ""
    message = f"{_called(row)} is revoked since {at[:16]}Z ({row.revocation_reason}){used}"
    key = (*_key(row), *(("in use",) if row.in_use else ()))
    return Event(REVOKED, key, CRITICAL if row.in_use else NOTICE, message, row.revocation_reason, row)


def _unknown(row: Row) -> Iterator[Event]:
    about = f"{_called(row)} is not in the inventory"
    if row.managed and row.host == "":
        message = f"{about}: its issuer has issued it, and no host is known to hold it"
        yield Event(NOT_IN_INVENTORY, _key(row), CRITICAL, message, "listed", row)
    elif row.state == "orphaned":
        message = f"{about}: it was issued, and the run that asked for it gave it up"
        yield Event(NOT_IN_INVENTORY, _key(row), WARNING, message, "orphaned", row)


def _is_held(row: Row, alike: Alike) -> bool:
    """Tell whether it is known who holds a certificate, though not by the row itself: a record says it."""
    return bool(alike.same_certificate(row).number) or alike.is_in_place(row)


def _found(row: Row, known: Known) -> Iterator[Event]:
    for one in findings(row, known.policy, known.alike, known.broken, known.now):
        code, message = one["code"], f"{_called(row)}: {one['msg']}"
        if code in _DUPLICATES:
            yield Event(DUPLICATE_KEY, (code, row.spki or row.fingerprint, *_place(row)), CRITICAL, message, code, row)
        elif code not in _ELSEWHERE:
            said = hashlib.sha256(one["msg"].encode("utf-8", "replace")).hexdigest() if code == "policy" else code
            severity = CRITICAL if code in _GRAVE else WARNING
            yield Event(FINDING, (*_key(row), said), severity, message, code, row)


def _key(row: Row) -> tuple[str | int | None, ...]:
    """Return what names a credential in a place, in every run."""
    return (*_place(row), row.fingerprint or row.serial_number or row.generation)


def _place(row: Row) -> tuple[str | None, ...]:
    return (row.host, row.store, row.name)


def _called(row: Row) -> str:
    where = f" on {row.host}" if row.host else ""
    return f"{row.name}{where}"


def _has_ended(row: Row, now: datetime) -> bool:
    return row.not_after is not None and row.not_after < stamp(now)
