# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How much harm is near for one credential, and why: a level and a number, both made of nothing but its reasons."""

from __future__ import annotations

import typing as t

from .._findings import finding
from .._ledger.moments import moment

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from .._rows.row import Row

LEVELS = ("critical", "high", "medium", "low", "none")
WEIGHTS: t.Mapping[str, int] = {"critical": 100, "high": 40, "medium": 15, "low": 5, "none": 0}
MOST = 100
WITHIN_DAYS = 7
"""What ends within these days without having been renewed is high: somebody has to look this week."""
_OF: t.Mapping[str, str] = {
    "expired": "critical", "revoked": "critical", "not_valid_yet": "critical", "shared_factor": "critical",
    "ends_this_week": "high", "shared_key": "high", "weak_key": "high", "weak_signature": "high",
    "expires_soon": "medium", "same_certificate": "medium", "policy": "medium",
    "no_contact": "low", "delivered_nowhere": "low",
}  # fmt: skip
"""The level of a reason by its code."""
DAY = 86400


class Risk(t.NamedTuple):
    """A level, a number from 0 to 100 to sort by, and the reasons, the heaviest first."""

    level: str
    score: int
    reasons: tuple[dict[str, str], ...]


def risk(row: Row, found: Sequence[dict[str, str]], now: datetime) -> Risk:
    """Weigh what was found of a row, and what its record leaves out."""
    left = days_left(row, now)
    this_week = left is not None and left < WITHIN_DAYS
    said = [_this_week(one) if this_week and one["code"] == "expires_soon" else one for one in found]
    reasons = sorted([*said, *_further(row, found)], key=lambda one: -WEIGHTS[level(one)])
    if not reasons:
        return Risk("none", 0, ())
    return Risk(level(reasons[0]), min(MOST, sum(WEIGHTS[level(one)] for one in reasons)), tuple(reasons))


def level(one: dict[str, str]) -> str:
    """Return how bad a finding is."""
    return _OF[one["code"]]


def days_left(row: Row, now: datetime) -> int | None:
    """Return the whole days until a row ends, negative since it has ended; None where it has no end."""
    return None if row.not_after is None else int((moment(row.not_after) - now).total_seconds() / DAY)


def _this_week(one: dict[str, str]) -> dict[str, str]:
    return finding("ends_this_week", f"{one['msg']}, and nothing has renewed it")


def _further(row: Row, found: Sequence[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Yield what is no finding of a row by itself: what others have to know, or may do without."""
    if not row.contact and not any("contact" in one["msg"] for one in found if one["code"] == "policy"):
        yield finding("no_contact", "nobody is named who answers for it")
    if row.managed and row.host and not row.live_paths and row.kind == "x509":
        yield finding("delivered_nowhere", "it is delivered nowhere, so nothing that is recorded uses it")
