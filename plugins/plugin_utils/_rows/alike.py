# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which rows are the same certificate, or have the same key, in several places.

Two records, or a record and what we manage, are of the same certificate when their fingerprints are, or, where one has
none, their serial numbers with the key or with the name of the issuer.
"""

from __future__ import annotations

import itertools
import typing as t

from .._findings import MOST_NAMED
from .._ledger import rows as ledgers
from .selection import IN_USE, Selection

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._ledger.chain import Readable
    from .row import Row

AT_ONCE = 500
"""Values of one query."""


class Places(t.NamedTuple):
    """Other places: the first of them in the order of rows, and how many there are."""

    first: tuple[Row, ...]
    number: int


class Alike:
    """Rows that are in use, by what makes two of them alike. A default certificate may be on a hundred thousand."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Take all that there is to compare with; what is not in use does not count."""
        self._by: dict[tuple[str, ...], dict[tuple[t.Any, ...], Row]] = {}
        self._groups: dict[t.Any, _Group] = {}
        for row in rows:
            for mark in (*_certificate(row), *_key(row)) if row.in_use else ():
                self._by.setdefault(mark, {})[row.key] = row

    def same_certificate(self, row: Row) -> Places:
        """Return the other places of a certificate."""
        marks = tuple(_certificate(row))
        return self._group(marks, lambda: self._marked(marks)).others(row)

    def same_key(self, row: Row) -> Places:
        """Return the places of other certificates with the same key."""
        marks, certificate = tuple(_key(row)), tuple(_certificate(row))

        def found() -> dict[tuple[t.Any, ...], Row]:
            same = self._marked(certificate)
            return {key: one for key, one in self._marked(marks).items() if key not in same}

        return self._group((marks, certificate), found).others(row)

    def is_in_place(self, row: Row) -> bool:
        """Tell whether another row is of the same certificate in the same place."""
        marks = tuple(_certificate(row))
        return self._group(marks, lambda: self._marked(marks)).has_in_place(row)

    def _marked(self, marks: Iterable[tuple[str, ...]]) -> dict[tuple[t.Any, ...], Row]:
        return {key: one for mark in marks for key, one in self._by.get(mark, {}).items()}

    def _group(self, name: t.Any, found: t.Callable[[], dict[tuple[t.Any, ...], Row]]) -> _Group:
        if name not in self._groups:
            self._groups[name] = _Group(found())
        return self._groups[name]


class _Group:
    """Rows that are alike, sorted once for all of them."""

    def __init__(self, rows: dict[tuple[t.Any, ...], Row]) -> None:
        self._rows = [rows[key] for key in sorted(rows)]
        self._on: dict[str | None, list[Row]] = {}
        for one in self._rows:
            self._on.setdefault(one.host, []).append(one)

    def others(self, row: Row) -> Places:
        """Return those that are not in the place of a row."""
        mine = sum(same_place(row, one) for one in self._on.get(row.host, ()))  # only what is on the same host can be
        others = (one for one in self._rows if not same_place(row, one))
        return Places(tuple(itertools.islice(others, MOST_NAMED)), len(self._rows) - mine)

    def has_in_place(self, row: Row) -> bool:
        """Tell whether another one is in the place of a row."""
        return any(one.key != row.key and same_place(row, one) for one in self._on.get(row.host, ()))


def around(ledger: Readable, rows: t.Sequence[Row], records: t.Sequence[Row]) -> Alike:
    """Return what some rows are to be compared with: themselves, all records, and what the ledger has of their kind."""
    used = [one for one in rows if one.in_use]
    keys = {one.spki for one in used if one.spki}
    serials = {one.serial_number for one in used if one.serial_number and not (one.managed or one.fingerprint)}
    found = [
        *each_of(ledger, keys, lambda some: Selection(spki=some, states=(IN_USE,))),
        *each_of(ledger, serials, lambda some: Selection(serial_numbers=some, states=(IN_USE,))),
    ]
    return Alike([*rows, *records, *found])


def each_of(
    ledger: Readable, values: Iterable[str], asked: t.Callable[[tuple[str, ...]], Selection]
) -> Iterator[Row]:
    """Yield what the ledger has of many values, so many in each query."""
    said = sorted(values)
    for begin in range(0, len(said), AT_ONCE):
        yield from ledgers.select(ledger, asked(tuple(said[begin : begin + AT_ONCE])))


def same_place(row: Row, other: Row) -> bool:
    """Tell whether two rows are about one place: one identity, one path of a host, or a record of what we put there."""
    if row.key == other.key:
        return True
    if row.host is None or row.host != other.host:
        return False
    if row.managed and other.managed:
        return (row.store, row.name) == (other.store, other.name)
    theirs, ours = set(_paths(row)), set(_paths(other))
    if not theirs or not ours:
        return row.managed != other.managed or row.name == other.name  # nothing says that it is another place
    return bool(theirs & ours) or any(_is_in_store(path, one) for path in theirs | ours for one in (row, other))


def _paths(row: Row) -> tuple[str, ...]:
    return row.live_paths or ((f"{row.store}/{row.name}/",) if row.managed else ())


def _is_in_store(path: str, row: Row) -> bool:
    return row.managed and path.startswith(f"{row.store}/{row.name}/") and not path.endswith("/")


def _certificate(row: Row) -> Iterator[tuple[str, ...]]:
    if row.fingerprint:
        yield ("fingerprint", row.fingerprint)
    if row.kind != "x509":
        return  # an authority of SSH may give all the same number, and does where nobody says one
    if row.serial_number and row.spki:
        yield ("serial of key", row.serial_number, row.spki)
    if row.serial_number and row.issuer:
        yield ("serial of issuer", row.serial_number, row.issuer)


def _key(row: Row) -> Iterator[tuple[str, ...]]:
    if row.spki:
        yield ("key", row.spki)
