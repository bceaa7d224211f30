# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Work on records, several lots at once; who does not answer is waited for once."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError, Unavailable

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .dns import Record

AT_ONCE = 8
Failed = dict["Record", KeysteadError]


class Part(t.NamedTuple):
    """Records that are worked on together; `zone` is theirs, where who works on them has to know it."""

    records: tuple[Record, ...]
    zone: t.Any = None


def by_name(records: Iterable[Record]) -> dict[str, tuple[Record, ...]]:
    """Return records by their names."""
    found: dict[str, tuple[Record, ...]] = {}
    for one in records:
        found[one.name] = (*found.get(one.name, ()), one)
    return found


def each(lots: Iterable[Sequence[Part]], work: Callable[[Part], Failed]) -> Failed:
    """Work on the parts of a lot one after the other, and on lots at once; return what went wrong, by record.

    Where one was `Unavailable`, no further one is begun: all that is left has that error.
    """
    from concurrent.futures import ThreadPoolExecutor

    failed: Failed = {}
    over: list[KeysteadError] = []

    def one_by_one(lot: Sequence[Part]) -> None:
        for part in lot:
            wrong = dict.fromkeys(part.records, over[0]) if over else tried(part, work)
            failed.update(wrong)
            over.extend(error for error in wrong.values() if isinstance(error, Unavailable))

    lots = list(lots)
    if len(lots) == 1:
        one_by_one(lots[0])
    elif lots:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(one_by_one, lots))
    return failed


def tried(part: Part, work: Callable[[Part], Failed]) -> Failed:
    """Return what went wrong with a part; an error that is raised is that of all its records."""
    try:
        return work(part)
    except KeysteadError as error:
        return dict.fromkeys(part.records, error)
