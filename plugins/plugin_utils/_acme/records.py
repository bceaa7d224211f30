# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The TXT records of orders: put there before a server is told to look, taken away when an order is over."""

from __future__ import annotations

import typing as t

from .address import WHO
from .dns import Record, record
from .reference import Reference

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .account import Account
    from .dns import Shown
    from .order import Track, Wanted


class Records:
    """The records of all orders of one issuer; there is nothing to do where it shows control in another way."""

    def __init__(self, dns: Shown | None, account: Account, advise: Callable[[str], None]) -> None:
        """Keep who writes, whose key is in the records, and how to tell."""
        self._dns, self._account, self._advise = dns, account, advise

    def of(self, wanted: Iterable[Wanted]) -> list[Record]:
        """Return the records for authorizations."""
        return [record(one.identifier, f"{one.token}.{self._account.thumbprint()}") for one in wanted]

    def noted(self, track: Track) -> str:
        """Return the reference of an order with what is going to be placed for it."""
        there = Reference.of(track.order.reference)
        pairs = (*there.records, *((one.name, one.value) for one in self.of(track.wanted)))
        return str(there._replace(records=tuple(dict.fromkeys(pairs))))

    def show(self, tracks: Sequence[Track]) -> None:
        """Put all records of the batch there; an order that lacks one ends with what went wrong."""
        if self._dns is None:
            return
        failed = self._dns.present(one for track in tracks if not track.told for one in self.of(track.wanted))
        for track in tracks:
            for one in self.of(track.wanted):
                if one in failed and track.result is None:
                    track.fail(failed[one])

    def tidy(self, over: Sequence[Track]) -> None:
        """Take away what was shown for orders that are over, by this run or, perhaps, by an earlier one."""
        if self._dns is not None:
            fresh = [one for track in over for one in self.of(track.wanted) if self._dns.has(one)]
            self._take([*fresh, *(one for track in over for one in self.of(track.shown))])

    def clear(self, references: Sequence[str]) -> list[str]:
        """Take away what was placed for orders that are over; return the references of which nothing is left."""
        placed = {one: [Record(*pair) for pair in Reference.of(one).records] for one in references}
        left = self._take([record for records in placed.values() for record in records])
        return [one for one, records in placed.items() if not left.intersection(records)]

    def _take(self, records: Sequence[Record]) -> set[Record]:
        """Take records away; return those that stay, after that was told."""
        if self._dns is not None:
            left = self._dns.cleanup(records)
        else:
            why = "of an earlier order stays, since this task has no dns_01; take it away by hand"
            left = {one: f"{WHO}: the record {one.name} {why}" for one in records}
        for line in left.values():
            self._advise(line)
        return set(left)
