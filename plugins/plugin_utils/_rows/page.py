# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Rows by page: what the ledger and the records say, in one order, each row once, however many are added meanwhile.

The order is by end, then the ledger before the records, then by their numbers; a page begins after the last row of the
one before. So a row that ended up in an earlier page is not seen again, and none moves to a later one.
"""

from __future__ import annotations

import heapq
import itertools
import re
import typing as t

from ...module_utils._core.errors import Misconfigured
from .._ledger import rows as ledgers
from .row import LAST
from .selection import fits

if t.TYPE_CHECKING:
    from .._ledger.chain import Readable
    from .row import Key, Row
    from .selection import Selection

_CURSOR = re.compile(r"(~|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)/([01])/(\d{1,18})", re.ASCII)


class Page(t.NamedTuple):
    """Some rows; how many there are of the ledger and of records in all pages; `after` asks for the next one."""

    rows: list[Row]
    managed: int
    observed: int
    after: str | None


def page(ledger: Readable, records: t.Sequence[Row], asked: Selection, after: Key | None, limit: int) -> Page:
    """Return the rows that follow a key, at most `limit`."""
    observed = sorted((one for one in records if fits(one, asked)), key=lambda one: one.key)
    later = [one for one in observed if after is None or one.key > after]
    managed = ledgers.select(ledger, asked, after=after, limit=limit + 1)
    merged = heapq.merge(managed, later, key=lambda one: one.key)
    found = list(itertools.islice(merged, limit + 1))
    shown = found[:limit]
    return Page(shown, ledgers.count(ledger, asked), len(observed), cursor(shown[-1].key) if found[limit:] else None)


def cursor(key: Key) -> str:
    """Return a key as a task says it."""
    return "/".join(map(str, key))


def key_of(said: str, option: str) -> Key:
    """Read what `cursor` wrote. Raises Misconfigured, naming the option."""
    found = _CURSOR.fullmatch(said)
    if found is None:
        raise Misconfigured(f"{option}: {said!r:.80} was not returned as `next` by a page before; give that as it is")
    end, kind, number = found.groups()
    return (LAST if end == LAST else end, int(kind), int(number))
