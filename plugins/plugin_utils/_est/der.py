# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""As much of DER (X.690) as it takes to read what nobody else reads for us. All that is none raises ValueError."""

from __future__ import annotations

OID, SEQUENCE, SET = 0x06, 0x30, 0x31
MOST = 1000  # values in one
_LONG, _LARGEST_LENGTH = 0x80, 3


def children(content: bytes) -> list[tuple[int, bytes]]:
    """Return the values that stand one after the other, each with its tag and without its length."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(content):
        if at + 2 > len(content) or len(found) == MOST:
            raise ValueError("cut off, or too many")
        tag, length, at = content[at], content[at + 1], at + 2
        if length >= _LONG:
            size = length - _LONG
            length = int.from_bytes(content[at : at + size], "big")
            if not 0 < size <= _LARGEST_LENGTH or length < _LONG:
                raise ValueError("no length of DER")
            at += size
        if at + length > len(content):
            raise ValueError("cut off")
        found.append((tag, content[at : at + length]))
        at += length
    return found


def dotted(content: bytes) -> str:
    """Return an object identifier as it is written."""
    if not content or content[-1] & 0x80 or len(content) > 64:
        raise ValueError("no object identifier")
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
