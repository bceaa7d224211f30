# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""dns-01 (RFC 8555, 8.4): records that show control of a name, put there and taken away by whoever can."""

from __future__ import annotations

import base64
import functools
import hashlib
import time
import typing as t

from ...module_utils._core.errors import KeysteadError
from .dns_options import PLACE, WAYS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .side_by_side import Failed


class Record(t.NamedTuple):
    """A TXT record: its name without a dot at the end, and its value."""

    name: str
    value: str


class Writer(t.Protocol):
    """Puts records where the world's resolvers find them, and takes them away; each may be repeated.

    Both return what went wrong, by record. `look` changes nothing, and says what it found that it needs.
    """

    def present(self, records: Sequence[Record]) -> Failed: ...

    def cleanup(self, records: Sequence[Record]) -> Failed: ...

    def look(self) -> str: ...


def record(identifier: str, key_authorization: str) -> Record:
    """Return the record for a name; that of a wildcard is the one of the name below it."""
    digest = hashlib.sha256(key_authorization.encode()).digest()
    name = f"_acme-challenge.{identifier.removeprefix('*.')}"
    return Record(name, base64.urlsafe_b64encode(digest).rstrip(b"=").decode())


def writer(said: t.Mapping[str, t.Any]) -> Writer:
    """Return who writes, from the options of dns_01. Raises Misconfigured."""
    from .._secrets import given

    if given(said, WAYS, PLACE) == "command":
        from .dns_command import Command

        return Command(said["command"], f"{PLACE}.command")
    from .dns_update import Update

    return Update(said["rfc2136"], f"{PLACE}.rfc2136")


class Shown:
    """The records of one batch of orders: presented once, and taken away when the orders are over."""

    def __init__(self, made: t.Callable[[], Writer], propagation: float) -> None:
        """Keep who writes, and how long, in seconds, the world needs to see it."""
        self._made, self._propagation = made, propagation
        self._there: set[Record] = set()
        self._gone: set[Record] = set()

    @functools.cached_property
    def writer(self) -> Writer:
        """Who writes. Raises Misconfigured."""
        return self._made()

    def has(self, one: Record) -> bool:
        """Tell whether this run put a record there."""
        return one in self._there

    def present(self, records: Iterable[Record]) -> Failed:
        """Put records there, wait until the world sees them, and return what went wrong."""
        fresh = [one for one in dict.fromkeys(records) if one not in self._there]
        failed = self._each(fresh, "present")
        self._there.update(one for one in fresh if one not in failed)
        self._gone.difference_update(fresh)
        if len(failed) < len(fresh) and self._propagation:
            time.sleep(self._propagation)
        return failed

    def cleanup(self, records: Iterable[Record]) -> dict[Record, str]:
        """Take records away that this run did not take away yet; return those that stay, and why, as sentences."""
        wanted = [one for one in dict.fromkeys(records) if one not in self._gone]
        failed = self._each(wanted, "cleanup")
        self._gone.update(one for one in wanted if one not in failed)
        self._there.difference_update(self._gone)
        return {one: f"{error}; the record {one.name} stays, and does no harm" for one, error in failed.items()}

    def _each(self, records: Sequence[Record], verb: str) -> Failed:
        if not records:
            return {}
        try:
            who = self.writer
        except KeysteadError as error:
            return dict.fromkeys(records, error)
        return who.present(records) if verb == "present" else who.cleanup(records)
