# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which of what may be renewed a run takes, when that is more than its limit.

Nothing is remembered from run to run, and something may fail in every one, as on a host that is gone. So nothing may
come first in all of them: equals take turns, by chance that the time of the run decides.
"""

from __future__ import annotations

import collections
import hashlib
import typing as t

if t.TYPE_CHECKING:
    import datetime as dt

_TURN = 300  # seconds, as long as the shortest interval of the timer
_REVOKED, _GOOD, _ENDED = range(3)
_KEPT = (_ENDED, _GOOD, _REVOKED, _REVOKED)  # for whom each place of four is; where there is none, for the first of all


class Candidate(t.NamedTuple):
    """What may be renewed now: whose it is, when it ends, whether it is revoked, and what is said of it."""

    host: str
    name: str
    end: dt.datetime
    revoked: bool
    said: dict[str, t.Any]


def divided(found: t.Iterable[Candidate], at_most: int, now: dt.datetime) -> tuple[list[Candidate], list[Candidate]]:
    """Return what a run takes and what waits: what is revoked, what is still good by its end, and what has ended."""
    ordered = sorted(found, key=lambda one: (_kind(one, now), one.end, one.host, one.name))
    turn = str(int(now.timestamp()) // _TURN)
    groups: list[list[Candidate]] = [[one for one in ordered if _kind(one, now) == kind] for kind in range(3)]
    groups[_REVOKED], groups[_ENDED] = _drawn(groups[_REVOKED], turn), _drawn(groups[_ENDED], turn)
    groups[_GOOD] = [one for equal in _equals(groups[_GOOD], now) for one in _drawn(equal, turn)]
    queues = [collections.deque(each) for each in groups]
    begin = _chance(turn) % len(_KEPT)
    taken = set()
    for place in range(begin, begin + min(at_most, len(ordered))):
        own = queues[_KEPT[place % len(_KEPT)]]
        one = next(queue for queue in (own, *queues) if queue).popleft()
        taken.add((one.host, one.name))
    chosen = [one for one in ordered if (one.host, one.name) in taken]
    return chosen, [one for one in ordered if (one.host, one.name) not in taken]


def _kind(one: Candidate, now: dt.datetime) -> int:
    if one.end <= now:
        return _ENDED
    return _REVOKED if one.revoked else _GOOD


def _equals(good: t.Sequence[Candidate], now: dt.datetime) -> t.Iterator[t.Sequence[Candidate]]:
    """Part what is sorted by its end: what ends in twice the time that the first one has left is as urgent as that."""
    while good:
        until = now + 2 * (good[0].end - now)
        many = sum(one.end <= until for one in good)
        yield good[:many]
        good = good[many:]


def _drawn(equal: t.Iterable[Candidate], turn: str) -> list[Candidate]:
    return sorted(equal, key=lambda one: _chance(turn, one.host, one.name))


def _chance(*of: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(of).encode()).digest(), "big")
