# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be said of rows, whoever told of them: their ends, revocations, doubles, and the policy.

Only what is in use is looked at: what was replaced harms nobody.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import printable
from .._findings import finding
from .._ledger.moments import moment, stamp
from . import judged
from .signed import weak_signature

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .._policy.policy import Policy
    from .alike import Alike, Places
    from .row import Row
    from .strength import Broken

DAY = 86400
SOON = 30 * DAY
LAST_PART = 4
"""What has less than 30 days left, and less than this part of its life, ends soon: renewals come earlier than that."""
LONGEST_NAME = 80

Finding = dict[str, str]


def findings(row: Row, policy: Policy, alike: Alike, broken: Broken, now: datetime) -> list[Finding]:
    """Return what is to be said of one row, each with a code for programs; `broken` has what is said of its key."""
    return list(_findings(row, policy, alike, broken, now)) if row.in_use else []


def _findings(row: Row, policy: Policy, alike: Alike, broken: Broken, now: datetime) -> Iterator[Finding]:
    yield from _begin(row, now)
    yield from _end(row, now)
    if row.revoked_at is not None:
        yield finding("revoked", f"it is revoked since {row.revoked_at[:16]}Z ({row.revocation_reason}), and in use")
    if (same := alike.same_certificate(row)).number:
        yield finding("same_certificate", f"the same certificate is also {_places(same)}")
    if (same := alike.same_key(row)).number:
        yield finding("shared_key", f"its key is also that of what is {_places(same)}")
    yield from broken.get(row.key, ())
    yield from weak_signature(row)
    for text in judged.sentences(policy, row):
        yield finding("policy", text)


def _begin(row: Row, now: datetime) -> Iterator[Finding]:
    if row.not_before is not None and row.not_before > stamp(now):
        yield finding("not_valid_yet", f"it is not valid before {row.not_before[:16]}Z, and in use")


def _end(row: Row, now: datetime) -> Iterator[Finding]:
    if row.not_after is None:
        return
    ends = moment(row.not_after)
    left = int((ends - now).total_seconds())
    life = int((ends - moment(row.not_before)).total_seconds()) if row.not_before is not None else 0
    if left < 0:
        yield finding("expired", f"it has ended on {row.not_after[:10]}, {-left // DAY} days ago")
    elif left < SOON and (not life or left * LAST_PART < life):
        yield finding("expires_soon", f"it ends on {row.not_after[:10]}, in {left // DAY} days")


def _places(found: Places) -> str:
    shown, more = ", ".join(map(_place, found.first)), found.number - len(found.first)
    return shown + (f" and in {more} more places" if more else "")


def _place(row: Row) -> str:
    """Return where a row is: whose name on which host, the first path, and the file that says so."""
    name, host = _short(row.name), _short(row.host or "a host that is not named")
    path = f" ({_short(row.live_paths[0])})" if row.live_paths else ""
    return f"{name} on {host}{path}" + ("" if row.managed else ", which is not managed")


def _short(text: str) -> str:
    return printable(text[:LONGEST_NAME]) + ("..." if len(text) > LONGEST_NAME else "")
