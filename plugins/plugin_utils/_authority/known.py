# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is known of the revocations of an authority beside its records: more than they say, where a backup was restored.

A list is made of the records. Lists that the authority has signed, whoever shows them, and the ledger tell of what was
taken back as well: what they know and no record does is written down again, and no number that was used comes twice.
"""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.ports import Revoked
from ...module_utils._core.revoking import Revocation
from .._revocation_list import reason_of
from . import lists, records

if t.TYPE_CHECKING:
    import datetime as dt

    from .lists import List
    from .store import Authority

_LEDGER = "the ledger"
_SEEN = "a list that was seen elsewhere"


class Elsewhere(t.NamedTuple):
    """What others know of an authority: what the ledger calls revoked and has not ended; lists (DER) that were seen."""

    ledger: tuple[Revocation, ...] = ()
    lists: tuple[bytes, ...] = ()


NOTHING = Elsewhere()


class Told(t.NamedTuple):
    """What one source knows: a list that the authority has signed, or the ledger, and what no record here tells of."""

    source: str
    crl: List | None
    unrecorded: tuple[Revocation, ...]
    forgot: bool = False  # whether one of them has no record at all, not even one that was put away

    @property
    def number(self) -> int:
        """The number of the list; 0 of none."""
        return self.crl.facts.number if self.crl else 0


class Known(t.NamedTuple):
    """What all sources know, the lists of the directory first."""

    told: tuple[Told, ...]

    @property
    def ours(self) -> List | None:
        """The newest list of the directory."""
        mine = [one for one in self.told if one.source not in (_LEDGER, _SEEN)]
        return max(mine, key=lambda one: one.number).crl if mine else None

    @property
    def highest(self) -> int:
        """The highest number of a list."""
        return max((one.number for one in self.told), default=0)

    @property
    def lost(self) -> tuple[Told, ...]:
        """What tells of revocations that no record has, or of lists that were made after those of the directory."""
        there = self.ours.facts.number if self.ours else 0
        return tuple(one for one in self.told if one.unrecorded or (one.source == _SEEN and one.number >= there))

    @property
    def is_older(self) -> bool:
        """Whether the directory is older than what others know of it."""
        return any(one.source == _SEEN or (one.source == _LEDGER and one.forgot) for one in self.lost)

    def reasons(self) -> list[str]:
        """Say what is lost, one sentence for each source."""
        here = f"the one here {self.ours.facts.number}" if self.ours else "there is none here"
        said = []
        for one in self.lost:
            if one.unrecorded:
                said.append(f"{one.source} tells of {_counted(len(one.unrecorded))} no record here")
            else:
                said.append(f"{one.source} has number {one.number}, and {here}")
        return said

    def next_number(self, noted: int, now: dt.datetime) -> int:
        """Return a number that no list ever had; `noted` is the highest that was taken here.

        Nobody knows how many lists a directory had that is older than others know: one for each revocation it lost,
        and beside them one a second, at the most.
        """
        number = max(noted, self.highest) + 1
        if not self.is_older:
            return number
        newest = max((one.crl.facts.this_update for one in self.told if one.crl), default=now)
        revoked = {revocation.serial_number for one in self.lost for revocation in one.unrecorded}
        return number + len(revoked) + max(int((now - newest).total_seconds()), 0)


def known(authority: Authority, elsewhere: Elsewhere, recorded: frozenset[int] | None = None) -> Known:
    """Ask every source. Lists that the authority did not sign tell nothing. `recorded` is what there are records of."""
    recorded = records.serial_numbers(authority) if recorded is None else recorded
    told = []
    for source, one in _lists(authority, elsewhere):
        if one.is_of(authority):
            missing = one.serial_numbers - recorded
            entries = [entry for entry in one.crl if entry.serial_number in missing] if missing else ()
            told.append(Told(source, one, _unrecorded(authority, tuple(map(_revocation, entries)))))
    lacking = tuple(one for one in elsewhere.ledger if one.serial_number not in recorded)
    lost = _unrecorded(authority, lacking)
    forgot = any(records.find(authority, one.serial_number) is None for one in lost)
    return Known((*told, Told(_LEDGER, None, lost, forgot)))


def _lists(authority: Authority, elsewhere: Elsewhere) -> t.Iterator[tuple[str, List]]:
    """Yield every list, and one that stands in several places once."""
    there = [(path.name, lists.found(path)) for path in (authority.crl_path, authority.crl_der_path)]
    before: list[List] = []
    for source, one in (*there, *((_SEEN, lists.parsed(content)) for content in elsewhere.lists)):
        if one is not None and not any(one.der == other.der for other in before):
            before.append(one)
            yield source, one


def _unrecorded(authority: Authority, revocations: t.Sequence[Revocation]) -> tuple[Revocation, ...]:
    """Return those that have no record, not even among those that have left the list, unless they left it too early."""
    return tuple(one for one in revocations if records.lacks(authority, one))


def _counted(number: int) -> str:
    return f"{number} revoked certificates that have" if number > 1 else "1 revoked certificate that has"


def _revocation(entry: x509.RevokedCertificate) -> Revocation:
    reason = None
    with contextlib.suppress(x509.ExtensionNotFound, ValueError):
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    return Revocation(entry.serial_number, Revoked(reason_of(reason), entry.revocation_date_utc))
