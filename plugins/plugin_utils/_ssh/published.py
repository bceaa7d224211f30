# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The key revocation list of an authority as it stands in its directory, and the number that it had last.

Beside it stands which number was given last, and the digest of what was written with that. So a list that went away,
was emptied, or is another one is seen without reading a single record, and what is written then has a higher number.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import typing as t

from .._authority.files import read_if_there, write
from . import krl

if t.TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from .records import Records

_LARGEST = 2**63  # of a number, so that there is always one more


class PublishedList:
    """One list. Who writes it holds the authority's lock."""

    def __init__(self, path: Path, authority: bytes, records: Records) -> None:
        """Keep where it is, whose (a public key in SSH's own form), and what it has to say."""
        self.path, self._authority, self._records = path, authority, records

    @property
    def is_whole(self) -> bool:
        """Tell whether what stands there is what was written last."""
        there, noted = read_if_there(self.path), self._noted()
        return there is not None and noted is not None and noted[1] == _digest(there)

    def due(self, now: dt.datetime) -> str | None:
        """Say why it has to be written anew. Raises Misconfigured for a record that is none."""
        there = read_if_there(self.path)
        if there is None:
            return f"there is no key revocation list at {self.path}"
        if not self.is_whole:
            return f"{self.path} is not the key revocation list that was written last"
        if krl.rest_of(there) != krl.rest_of(self._next(1, now)):
            return f"{self.path} lacks what was taken back"
        return None

    def more(self) -> int:
        """Return how many certificates and keys of this authority the list that stands there has, and no record."""
        try:
            there = krl.parsed(read_if_there(self.path) or b"")
        except ValueError:
            return 0
        said = self._said(0)
        known = there.authority in (b"", self._authority)
        return len({*there.serials} - {*said.serials}) + len({*there.keys} - {*said.keys}) if known else 0

    def publish(self, now: dt.datetime, lost: int = 0) -> None:
        """Write it where that is due. Its number is noted first: whatever happens then, none comes twice.

        `lost` is how many revocations came back that the directory had forgotten: it is older than what it published.
        """
        noted = self._noted()
        number = 1 + (noted[0] if noted else self._number(now))
        if lost:  # what stands there may be the newest one, which somebody put back
            number = max(number, 1 + self._number(now)) + self._skipped(lost, now)
        content = self._next(number, now)
        if self.is_whole and krl.rest_of(read_if_there(self.path) or b"") == krl.rest_of(content):
            return
        write(self._note, json.dumps({"number": number, "sha256": _digest(content)}).encode() + b"\n")
        write(self.path, content)

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.number")

    def _noted(self) -> tuple[int, str] | None:
        """Return the number that was given last and the digest of that list; None where that is not known."""
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            said = json.loads(read_if_there(self._note) or b"")
            if isinstance(said["number"], int) and 0 < said["number"] < _LARGEST:
                return said["number"], str(said["sha256"])
        return None

    def _number(self, now: dt.datetime) -> int:
        """Return a number that none before was higher than: of the list that is there, else what no count reaches."""
        with contextlib.suppress(ValueError):
            if (found := krl.number_of(read_if_there(self.path) or b"")) < _LARGEST:
                return found
        return int(now.timestamp()) if self._records.all() else 0

    def _skipped(self, lost: int, now: dt.datetime) -> int:
        """Return how many numbers nobody here remembers, at the most: one for each revocation, and one a second."""
        try:
            made = krl.made_at(read_if_there(self.path) or b"")
        except ValueError:
            made = 0
        return lost + max(int(now.timestamp()) - made, 0)

    def _next(self, number: int, now: dt.datetime) -> bytes:
        return krl.written(self._said(number), now)

    def _said(self, number: int) -> krl.List:
        """Return what a list with this number has to say."""
        records = self._records.all()
        serials = {serial for serial, _record in records if serial}
        keys = tuple(record.key for _serial, record in records if record.key)
        return krl.List(number, self._authority, tuple(serials), keys)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
