# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The MAC over a PKCS#12 file (RFC 7292, 4 and appendix B). Up to 43, cryptography derives its key in one round only.

Who guesses passwords would try them there, however many rounds the encryption takes. So it is made anew.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import typing as t

from .._core.errors import Unavailable

ROUNDS = 2048  # what cryptography 44 and OpenSSL write, and every reader takes
_SALT, _BLOCK, _FOR_A_MAC = 16, 64, b"\x03"
_DIGESTS = {bytes.fromhex("0609608648016503040201"): "sha256", bytes.fromhex("06052b0e03021a"): "sha1"}
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04


class _Mac(t.NamedTuple):
    """What a file says of its MAC: where it begins, over what it is, the algorithm in DER, and how many rounds."""

    at: int
    content: bytes
    algorithm: bytes
    rounds: int


def rounds_of(content: bytes) -> int:
    """Return in how many rounds the key of the MAC is derived; 0 where that cannot be read."""
    try:
        return _read(content).rounds
    except (ValueError, IndexError):
        return 0


def strengthened(content: bytes, password: bytes) -> bytes:
    """Return the file with a MAC of enough rounds. `password` is UTF-8. Raises Unavailable for what is no such file."""
    try:
        found = _read(content)
        digest = next(name for oid, name in _DIGESTS.items() if oid in found.algorithm)
    except (ValueError, IndexError, StopIteration):
        raise Unavailable("host: its cryptography writes PKCS#12 files of an unknown form; report it") from None
    if found.rounds >= ROUNDS:
        return content
    salt = os.urandom(_SALT)
    mac = hmac.new(_key(digest, password, salt), found.content, digest).digest()
    info = _tlv(_SEQUENCE, found.algorithm + _tlv(_OCTETS, mac))
    made = _tlv(_SEQUENCE, info + _tlv(_OCTETS, salt) + _tlv(_INTEGER, ROUNDS.to_bytes(2, "big")))
    _tag, begin, _end = _at(content, 0)
    return _tlv(_SEQUENCE, content[begin : found.at] + made)


def _key(digest: str, password: bytes, salt: bytes) -> bytes:
    """Derive the key (RFC 7292, B.2), which is as long as the digest: the first round of blocks suffices."""
    secret = password.decode().encode("utf-16-be") + b"\0\0"
    found = _FOR_A_MAC * _BLOCK + _filled(salt) + _filled(secret)
    for _round in range(ROUNDS):
        found = hashlib.new(digest, found).digest()
    return found


def _filled(value: bytes) -> bytes:
    """Repeat a value until it fills whole blocks."""
    length = -(-len(value) // _BLOCK) * _BLOCK
    return (value * (length // len(value) + 1))[:length]


def _read(content: bytes) -> _Mac:
    """Walk through PFX: a version, what is authenticated, and the MAC. Raises ValueError or IndexError."""
    _tag, at, _end = _at(content, 0)
    _tag, _begin, at = _at(content, at)  # the version
    _tag, inside, mac_at = _at(content, at)
    _tag, _begin, inside = _at(content, inside)  # the type, which is data
    _tag, inside, _end = _at(content, inside)
    _tag, begin, end = _at(content, inside)
    _tag, mac, _end = _at(content, mac_at)
    _tag, info, salt_at = _at(content, mac)
    _tag, _begin, algorithm_end = _at(content, info)
    _tag, _begin, after = _at(content, salt_at)
    if after >= len(content):
        rounds = 1  # the default, which DER leaves out
    else:
        tag, first, last = _at(content, after)
        if tag != _INTEGER:
            raise ValueError("no rounds")
        rounds = int.from_bytes(content[first:last], "big")
    return _Mac(mac_at, content[begin:end], content[info:algorithm_end], rounds)


def _at(content: bytes, at: int) -> tuple[int, int, int]:
    """Return the tag at a place, and where its value begins and ends (X.690, 8.1)."""
    tag, length, begin = content[at], content[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(content[at + 2 : begin], "big")
    if begin + length > len(content):
        raise ValueError("it ends too early")
    return tag, begin, begin + length


def _tlv(tag: int, value: bytes) -> bytes:
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + value
