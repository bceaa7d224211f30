# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One look at a ledger: everything that there is to tell, whoever was told of it before."""

from __future__ import annotations

import typing as t

from .._audit.verify import of_ledger
from .._audit.vouched import Vouched, public_keys
from .._ledger import rows as ledgers
from .._policy.load import load
from .._policy.weak_lists import known_weak
from .._recall import opened
from .._records.files import read
from .._rows.alike import Alike
from .._rows.selection import IN_USE, Selection
from .._rows.strength import weak_keys
from . import drift, standing
from .cursor import WHO, Place
from .event import CRITICAL, LEDGER_TAMPERED, Event

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._ledger.chain import Readable
    from .._rows.row import Row

OF_ROWS_THERE = Selection(states=(IN_USE, "revoked", "orphaned"))
OF_NO_HOST = Selection(hosts=("",))


class Seen(t.NamedTuple):
    """What one look found: of which ledger, how far its record was read, and the events."""

    ledger: str
    place: Place
    events: tuple[Event, ...]


def look(options: t.Mapping[str, t.Any], before: Place | None, now: datetime, *, audit: bool) -> Seen:
    """Look once. Raises KeysteadError. With `audit` the whole record is verified."""
    with opened(options, WHO) as ledger:
        last = drift.last_of(ledger)
        place = before or Place(seq=last)
        found = list(_tampered(ledger, options, place)) if audit else []
        whole = next((one for one in found if isinstance(one, Place)), place)
        events = [one for one in found if isinstance(one, Event)]
        events += drift.events(drift.repairs(ledger, place.seq, last))
        events += standing.events(*_rows(ledger, options, now))
        wanted = [one for one in events if one.type in options["events"]]
        return Seen(str(ledger.id), whole._replace(seq=max(last, place.seq)), tuple(wanted))


def _tampered(ledger: Readable, options: t.Mapping[str, t.Any], place: Place) -> t.Iterator[Event | Place]:
    """Yield that the record was altered, or how far it is whole: what was whole once must stay as it was."""
    vouched = Vouched(public_keys(options["public_keys"] or (), who=WHO), [], WHO)
    if place.whole:
        vouched.expected[place.whole] = (place.hash, f"{WHO}, which has seen it before,")
    found = of_ledger(ledger, (), vouched)
    if found.broken is None:
        yield place._replace(whole=found.last.seq, hash=found.last.hash)
    else:
        yield Event(LEDGER_TAMPERED, (found.broken,), CRITICAL, f"the ledger was altered: {found.broken}")


def _rows(ledger: Readable, options: t.Mapping[str, t.Any], now: datetime) -> tuple[list[Row], standing.Known]:
    policy, records = load(options["policy"], now), read(options["records"] or ())
    found = {row.key: row for asked in (OF_ROWS_THERE, OF_NO_HOST) for row in ledgers.select(ledger, asked)}
    rows = [*found.values(), *records]
    weak = weak_keys(rows, known_weak(policy.weak_lists))
    return rows, standing.Known(policy, Alike(rows), weak, tuple(options["expiring"]), now)
