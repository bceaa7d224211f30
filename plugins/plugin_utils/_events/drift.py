# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What runs found on hosts that was not as declared: the record of events says it, where a run has put it right."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.checks import FINDINGS
from .event import DRIFTED, WARNING, Event

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .._ledger.chain import Readable

_LINK = "{about} leads elsewhere, not to {detail}"
_SAID = {
    code: re.compile(re.escape(text).replace(r"\{about\}", ".+").replace(r"\{detail\}", ".+"))
    for code, text in (*FINDINGS.items(), ("link", _LINK))
}
_REPAIRS = """
SELECT e.seq, h.host, h.store, e.identity, e.generation, e.reason, e.outcome, h.at
FROM events e JOIN heads h ON h.batch = e.batch
WHERE e.seq > ? AND e.seq <= ? AND e.action IN ('issue', 'link', 'publish') ORDER BY e.seq
"""
_LAST = "SELECT coalesce(max(seq), 0) FROM events"


class Repair(t.NamedTuple):
    """A step of a run, with why it was taken, and when the run was."""

    seq: int
    host: str
    store: str
    identity: str
    generation: int | None
    reason: str
    outcome: str
    at: str


def last_of(ledger: Readable) -> int:
    """Return the number of the last event of the record."""
    ((found,),) = ledger.read(_LAST)
    return int(found)


def repairs(ledger: Readable, after: int, until: int) -> list[Repair]:
    """Return the steps of runs after one event of the record and up to another one."""
    return [Repair(*row) for row in ledger.read(_REPAIRS, (after, until))]


def events(steps: t.Iterable[Repair]) -> Iterator[Event]:
    """Yield what drifted. What could not be put right is told once a day, however often runs try."""
    for one in steps:
        code = _code(one.reason)
        if code is None:
            continue
        of_day = (one.host, one.store, one.identity, one.generation, one.reason, one.at[:10])
        key = (one.seq,) if one.outcome == "ok" else of_day
        done = "and was put right" if one.outcome == "ok" else "and was not put right"
        message = f"{one.identity} on {one.host} was not as declared {done}: {one.reason}"
        yield Event(DRIFTED, key, WARNING, message, code, host=one.host, identity=one.identity)


def _code(reason: str) -> str | None:
    return next((code for code, said in _SAID.items() if said.fullmatch(reason)), None)
