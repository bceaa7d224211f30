# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""dns-01 (RFC 8555, 8.4): records that show control of a name, put there and taken away by whoever can."""

from __future__ import annotations

import base64
import hashlib
import time
import typing as t

from .address import OPTION

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ...module_utils._core.errors import KeysteadError


class Record(t.NamedTuple):
    """A TXT record: its name without a dot at the end, and its value."""

    name: str
    value: str


class Writer(t.Protocol):
    """Puts records where the world's resolvers find them. Both may be repeated."""

    def present(self, record: Record) -> None: ...

    def cleanup(self, record: Record) -> None: ...


def record(identifier: str, key_authorization: str) -> Record:
    """Return the record for a name; that of a wildcard is the one of the name below it."""
    digest = hashlib.sha256(key_authorization.encode()).digest()
    name = f"_acme-challenge.{identifier.removeprefix('*.')}"
    return Record(name, base64.urlsafe_b64encode(digest).rstrip(b"=").decode())


def writer(said: t.Mapping[str, t.Any]) -> Writer:
    """Return who writes, from the options of dns_01. Raises Misconfigured."""
    from .._secrets import given

    option = f"{OPTION}.challenge.dns_01"
    if given(said, ("rfc2136", "command"), option) == "command":
        from .dns_command import Command

        return Command(said["command"], f"{option}.command")
    from .dns_update import Update

    return Update(said["rfc2136"], f"{option}.rfc2136")


class Shown:
    """The records of one batch of orders: presented once, and taken away when the orders are over."""

    def __init__(self, made: t.Callable[[], Writer], propagation: float) -> None:
        """Keep who writes, and how long, in seconds, the world needs to see it."""
        self._made, self._propagation = made, propagation
        self._writer: Writer | None = None
        self._there: set[Record] = set()

    def present(self, records: Iterable[Record]) -> dict[Record, KeysteadError]:
        """Put records there, wait until the world sees them, and return what went wrong."""
        from ...module_utils._core.errors import KeysteadError

        failed: dict[Record, KeysteadError] = {}
        fresh = [one for one in dict.fromkeys(records) if one not in self._there]
        for one in fresh:
            try:
                self._who().present(one)
                self._there.add(one)
            except KeysteadError as error:
                failed[one] = error
        if len(failed) < len(fresh) and self._propagation:
            time.sleep(self._propagation)
        return failed

    def cleanup(self, records: Iterable[Record]) -> list[str]:
        """Take records away; return what could not be, as sentences."""
        from ...module_utils._core.errors import KeysteadError

        left = []
        for one in dict.fromkeys(records):
            try:
                self._who().cleanup(one)
                self._there.discard(one)
            except KeysteadError as error:
                left.append(f"{error}; the record {one.name} stays, and does no harm")
        return left

    def _who(self) -> Writer:
        if self._writer is None:
            self._writer = self._made()
        return self._writer
