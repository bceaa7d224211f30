# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What the next identity of a host would be answered as well: no password is tried, and no silence borne, once each."""

from __future__ import annotations

import typing as t

from .._core.errors import Misconfigured, Unavailable, Unreached
from .unreachable import LoggedOut, Silent

if t.TYPE_CHECKING:
    from .._core.errors import KeysteadError

_UNKNOWN, _FORBIDDEN, _BUSY, _BROKEN = 401, 403, 429, range(500, 600)  # RFC 9110, 15.5 and 15.6; RFC 6585, 4
_WHERE = ("protocol", "host", "port")
_WHO = (*_WHERE, "path", "operation", "username")

Answer = t.Dict[str, t.Any]


class Errand(t.NamedTuple):
    """What one identity asks: where, and who it is there."""

    where: tuple[t.Any, ...]
    who: tuple[t.Any, ...]


def errand(entry: t.Mapping[str, t.Any], name: str, secret: str | None) -> Errand:
    """Return what is the same for two identities that would be answered alike; a pair of its own each has alone."""
    told = {**entry["said"], "protocol": entry["protocol"]}
    pair = told.get("pair")
    shown = name if pair == "own" else tuple(pair or ())
    return Errand(tuple(map(told.get, _WHERE)), (*map(told.get, _WHO), shown, secret))


class Over:
    """Remembers what ended it. An answer that is kept is one to nobody else: the server was not asked again."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._answers: dict[tuple[t.Any, ...], Answer] = {}
        self._weak: set[tuple[t.Any, ...]] = set()  # who got an answer that ends it if the next one is such too

    def instead(self, asked: Errand) -> Answer | None:
        """Return what there is to say in place of asking."""
        for key in asked:
            if key in self._answers:
                return {**self._answers[key], "unreached": True}
        return None

    def failed(self, asked: Errand, error: KeysteadError, answer: Answer) -> None:
        """Learn from an error."""
        if isinstance(error, (Silent, Unreached)):
            self._answers[asked.where] = answer
        elif isinstance(error, (Misconfigured, LoggedOut)):
            self._answers[asked.who] = answer
        elif isinstance(error, Unavailable):
            self._twice(asked.where, answer)

    def answered(self, asked: Errand, enrolled: t.Mapping[str, t.Any], answer: Answer) -> None:
        """Learn from the last status (RFC 9110) in what came up."""
        statuses = [one["status"] for one in enrolled.values() if isinstance(one, dict) and "status" in one]
        status = statuses[-1] if statuses else None
        if status == _UNKNOWN:
            self._answers[asked.who] = answer
        elif status == _BUSY:
            self._answers[asked.where] = answer
        elif status == _FORBIDDEN:  # the first one may be about that identity alone
            self._twice(asked.who, answer)
        elif status in _BROKEN:
            self._twice(asked.where, answer)
        else:
            self._weak.difference_update(asked)

    def _twice(self, key: tuple[t.Any, ...], answer: Answer) -> None:
        if key in self._weak:
            self._answers[key] = answer
        self._weak.add(key)
