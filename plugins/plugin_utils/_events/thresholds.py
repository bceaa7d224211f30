# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When an end is near: a share of the life, or a time before the end."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Misconfigured
from .._durations import seconds
from .._ledger.moments import moment

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._rows.row import Row

_PER_CENT = re.compile(r"([1-9]\d?)%", re.ASCII)


def checked(said: t.Sequence[str], option: str) -> tuple[str, ...]:
    """Return thresholds that can be understood. Raises Misconfigured, naming the option."""
    for one in said:
        if _PER_CENT.fullmatch(one):
            continue
        try:
            seconds(one)
        except Misconfigured:
            raise Misconfigured(
                f"{option}: {one!r:.60} is no threshold; write a share of the life, as 33%, or a time before its end, "
                "as 14d"
            ) from None
    return tuple(said)


def passed(row: Row, thresholds: t.Sequence[str], now: datetime) -> str | None:
    """Return the last threshold that a credential has passed; None before the first, and once it has ended."""
    if row.not_after is None:
        return None
    ends = moment(row.not_after)
    left = (ends - now).total_seconds()
    if left < 0:
        return None
    life = (ends - moment(row.not_before)).total_seconds() if row.not_before is not None else None
    known = {one: before for one in thresholds if (before := _before(one, life)) is not None}
    return min((one for one in known if left <= known[one]), key=known.__getitem__, default=None)


def _before(threshold: str, life: float | None) -> float | None:
    """Return a threshold as seconds before the end; None for a share of a life that nobody knows."""
    share = _PER_CENT.fullmatch(threshold)
    if share is None:
        return float(seconds(threshold))
    return None if life is None else life * int(share[1]) / 100
