# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which events are to be told now: pure, over what was told before."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from .._ledger.moments import moment
from .event import DRIFTED, base_of

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from .event import Event


class Told(t.NamedTuple):
    """How often an event was told for certain, when it was handed over last, and whether that may have been in vain."""

    times: int
    at: str
    in_doubt: bool = False


class Due(t.NamedTuple):
    """An event to be told: its name in the cursor, the how-manieth reminder it is, and whether it is told again."""

    event: Event
    base: str
    reminder: int = 0
    redelivered: bool = False


def due(
    events: Iterable[Event], told: Mapping[str, Told], ledger: str, now: datetime, remind: int | None = None
) -> list[Due]:
    """Return what is to be told, each once; what was told `remind` seconds ago or more and still stands, once more."""
    found: dict[str, Due] = {}
    for event in events:
        base = base_of(event, ledger)
        before = told.get(base)
        if before is None:
            found.setdefault(base, Due(event, base))
        elif before.in_doubt:
            found.setdefault(base, Due(event, base, before.times, redelivered=True))
        elif remind and event.type != DRIFTED and now - moment(before.at) >= timedelta(seconds=remind):
            found.setdefault(base, Due(event, base, before.times))
    return list(found.values())
