# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""OpenSSH's key revocation lists, written byte for byte (PROTOCOL.krl of OpenSSH; ADR 27)."""

from __future__ import annotations

import typing as t

from ...module_utils._core.ssh import Reader, string

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

MAGIC, FORMAT = b"SSHKRL\n\0", 1
_CERTIFICATES, _EXPLICIT_KEYS, _SERIALS = 1, 2, 0x20


class List(t.NamedTuple):
    """What a list says: its number, the serial numbers that `authority` takes back, and keys, whoever certified them.

    Keys are in SSH's own form (RFC 4253, 6.6).
    """

    number: int
    authority: bytes
    serials: tuple[int, ...] = ()
    keys: tuple[bytes, ...] = ()


def written(said: List, now: dt.datetime) -> bytes:
    """Return the file that sshd reads by RevokedKeys and ssh by RevokedHostKeys."""
    head = MAGIC + FORMAT.to_bytes(4, "big") + b"".join(
        one.to_bytes(8, "big") for one in (said.number, int(now.timestamp()), 0)
    )  # fmt: skip
    found = head + string(b"") + string(b"")
    if said.serials:
        serials = _section(_SERIALS, b"".join(one.to_bytes(8, "big") for one in sorted(said.serials)))
        found += _section(_CERTIFICATES, string(said.authority) + string(b"") + serials)
    if said.keys:
        found += _section(_EXPLICIT_KEYS, b"".join(map(string, _unique(said.keys))))
    return found


def parsed(content: bytes) -> List:
    """Return what a list says that was written here; raises ValueError for any other."""
    found, reader = List(number_of(content), b""), Reader(rest_of(content))
    if reader.number(8) or reader.string() or reader.string():
        raise ValueError("it has flags or a comment")
    while not reader.over:
        kind, section = reader.number(1), Reader(reader.string())
        if kind == _CERTIFICATES and not found.authority:
            authority, _reserved, below = section.string(), section.string(), section.number(1)
            numbers = section.string()
            if below != _SERIALS or not section.over:
                raise ValueError("it names certificates otherwise")
            serials = tuple(int.from_bytes(numbers[at : at + 8], "big") for at in range(0, len(numbers), 8))
            found = found._replace(authority=authority, serials=serials)
        elif kind == _EXPLICIT_KEYS:
            found = found._replace(keys=(*found.keys, *_every(section)))
        else:
            raise ValueError("it has a section that no list of ours has")
    return found


def _every(reader: Reader) -> Iterator[bytes]:
    while not reader.over:
        yield reader.string()


def number_of(content: bytes) -> int:
    """Return the number of a list; raises ValueError for what is none."""
    reader = Reader(content)
    if reader.take(len(MAGIC)) != MAGIC or reader.number(4) != FORMAT:
        raise ValueError("not a key revocation list")
    return reader.number(8)


def made_at(content: bytes) -> int:
    """Return when a list was made, in seconds since 1970; raises ValueError for what is none."""
    number_of(content)
    return Reader(content[len(MAGIC) + 4 + 8 :]).number(8)


def rest_of(content: bytes) -> bytes:
    """Return what a list says beside its number and when it was made."""
    return content[len(MAGIC) + 4 + 16 :]


def _section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + string(content)


def _unique(keys: Iterable[bytes]) -> list[bytes]:
    return sorted(set(keys))
