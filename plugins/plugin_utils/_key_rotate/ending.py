# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which generations that gave way are destroyed, and when. Pure.

A destruction is for ever, so the clock of one run alone does not decide it: the end of a grace has to be in the ledger
for an hour, as the moment of an earlier run, be that of another key or host. Where nothing else was recorded meanwhile,
the intent is what a first run records.
"""

from __future__ import annotations

import typing as t
from datetime import timedelta

from .model import Act

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._rotation import Limits
    from .model import Kept, Known, There, Version
    from .wanted import Wanted

AGREED_FOR = timedelta(hours=1)
"""What a play wrote with one clock is younger; so a clock that is ahead in one run does not agree with itself."""
_ALONE = " by the clock of this run alone: a run that is an hour later destroys it"


class Ending(t.NamedTuple):
    """What is destroyed now, and what has its grace behind it by the clock of this run, and by no other yet.

    Of the latter, `begins` are those of which this run has to write that down.
    """

    acts: tuple[Act, ...] = ()
    waits: tuple[Act, ...] = ()
    begins: tuple[Act, ...] = ()


def tainted_at(row: Kept, known: Known) -> datetime | None:
    """Return when a generation gave way, None where it did not: one that went away as the newest does not count."""
    later = [one for one in known.kept if one.number > row.number]
    stayed = [one for one in later if one.gone is None or any(one.at < next_.at <= one.gone for next_ in later)]
    return stayed[0].at if stayed else None


def ending(wanted: Wanted, there: There, known: Known, limits: Limits, active: Version) -> Ending:
    """Return which tainted generations had their time: none without a grace, none that somebody uses."""
    if wanted.grace is None:
        return Ending()
    acts: list[Act] = []
    waits: list[tuple[datetime, Act]] = []
    for row in known.live:
        at = tainted_at(row, known)
        if row.number >= active.number or at is None or there.at(row.uri) is None:
            continue
        end = at + timedelta(seconds=wanted.grace)
        if end <= limits.now and (wanted.destroy_in_use or not known.users.get(row.uri)):
            if known.agreed is not None and end <= known.agreed:
                acts.append(_act(row, at))
            else:
                waits.append((end, _act(row, at, _ALONE)))
        elif not there.one_by_one:
            break  # what is older goes with it
    begins = (act for end, act in waits if known.seen is None or known.seen < end)
    return Ending(tuple(acts), tuple(act for _end, act in waits), tuple(begins))


def _act(row: Kept, at: datetime, more: str = "") -> Act:
    gave_way = f"generation {row.number} gave way at {at:%Y-%m-%d %H:%M}, and its grace is over"
    return Act("destroy", gave_way + more, row.number, row.uri)
