# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Bytes that nobody should have written: mutations of real files, and DER that cryptography's builders refuse."""

from __future__ import annotations

import base64
import copy
import json
import os
import random
import time
import typing as t

from ansible_collections.keystead.identity.tests.harness import tally
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if t.TYPE_CHECKING:
    from collections.abc import Iterator

SLOWEST = 10.0  # seconds: a hang, on whatever machine
SEED = int(os.environ.get("KEYSTEAD_SEED", "20261121"))
VALUES: tuple[t.Any, ...] = (
    None, True, False, 0, -1, 2, 10**30, 1.5, float("nan"), float("inf"), "", "x", "\x1b[2J", "\u202e", "A" * 70000,
    "../../etc/passwd", [], {}, [[[]]], {"a": {}}, [None],
)  # fmt: skip


class Stopwatch:
    """Fails what takes longer than SLOWEST."""

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        assert time.monotonic() - self._started < SLOWEST


def mutated(content: bytes, count: int) -> Iterator[bytes]:
    """Yield mutations of a file: as bytes, and behind its armour or its JSON where it has one."""
    chance = random.Random(SEED)  # noqa: S311 - the same ones in every run
    ways = [_bytes]
    if content.startswith(b"-----BEGIN"):
        ways += [_armoured] * 3
    if content.startswith(b"{"):
        ways += [_json] * 3
    for changed in (b"", b"\0" * 100, content * 3, b"[" * 100_000, b"\xff\xfe\xfd", b"9" * 5000):
        tally.point()
        yield changed
    for _ in range(count - 6):
        changed = content
        while changed == content:
            changed = chance.choice(ways)(content, chance)
        tally.point()
        yield changed


def _bytes(content: bytes, chance: random.Random) -> bytes:
    """Flip, drop, repeat, insert or overwrite some bytes."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(changed) + 1)
        length = chance.choice((1, 1, 2, 16))
        way = chance.randrange(5)
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            del changed[at : at + length]
        elif way == 2:
            changed[at:at] = changed[at : at + length]
        elif way == 3:
            changed[at:at] = chance.randbytes(length)
        else:
            changed[at : at + length] = bytes([chance.choice((0, 0x30, 0x80, 0x84, 0xFF))]) * length
    return bytes(changed)


def _armoured(content: bytes, chance: random.Random) -> bytes:
    """Change the DER inside one block of PEM."""
    lines = content.split(b"\n")
    first = chance.choice([index for index, line in enumerate(lines) if line.startswith(b"-----BEGIN")])
    last = next(index for index in range(first, len(lines)) if lines[index].startswith(b"-----END"))
    der = _bytes(base64.b64decode(b"".join(lines[first + 1 : last])), chance)
    return b"\n".join([*lines[: first + 1], base64.encodebytes(der).rstrip(), *lines[last:]])


def _json(content: bytes, chance: random.Random) -> bytes:
    """Put anything in the place of a member, or take it away."""
    value = copy.deepcopy(json.loads(content))
    there = value
    while True:
        name = chance.choice(sorted(there))
        if isinstance(there[name], dict) and there[name] and chance.random() < 0.7:
            there = there[name]
            continue
        there[name] = chance.choice(VALUES)
        if chance.random() < 0.2:
            del there[name]
        return json.dumps(value).encode()


def der(tag: int, *parts: bytes) -> bytes:
    """Return one DER element (X.690)."""
    content = b"".join(parts)
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 0x80 else bytes([0x80 | len(octets)]) + octets) + content


def integer(value: int) -> bytes:
    """Return an INTEGER."""
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    octets = [first * 40 + second]
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        octets += reversed(groups)
    return der(0x06, bytes(octets))


def name(*values: tuple[str, int, bytes]) -> bytes:
    """Return a Name of (type, tag, value)."""
    return der(0x30, *(der(0x31, der(0x30, oid(kind), der(tag, value))) for kind, tag, value in values))


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """Return an Extension."""
    return der(0x30, oid(dotted), der(0x01, b"\xff") if critical else b"", der(0x04, value))


PUBLIC_KEY = ec.generate_private_key(ec.SECP256R1()).public_key()
SPKI = PUBLIC_KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
ECDSA = der(0x30, oid("1.2.840.10045.4.3.2"))
CN = "2.5.4.3"


def certificate(  # noqa: PLR0913 - what a certificate says
    *,
    version: int | None = 2,
    serial: int = 1,
    algorithm: bytes = ECDSA,
    issuer: bytes | None = None,
    not_before: bytes = der(0x17, b"260101000000Z"),
    not_after: bytes = der(0x17, b"490101000000Z"),
    subject: bytes | None = None,
    spki: bytes = SPKI,
    extensions: tuple[bytes, ...] | None = (),
) -> bytes:
    """Return a certificate in DER whose signature is of nobody."""
    common = name((CN, 0x0C, b"x"))
    tbs = der(
        0x30,
        b"" if version is None else der(0xA0, integer(version)),
        integer(serial),
        algorithm,
        common if issuer is None else issuer,
        der(0x30, not_before, not_after),
        common if subject is None else subject,
        spki,
        der(0xA3, der(0x30, *extensions)) if extensions else b"",
    )
    return der(0x30, tbs, algorithm, der(0x03, b"\0", der(0x30, integer(1), integer(1))))


def pem(content: bytes) -> bytes:
    """Return a certificate as PEM."""
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(content) + b"-----END CERTIFICATE-----\n"


SAN, BASIC, EKU, KEY_USAGE = "2.5.29.17", "2.5.29.19", "2.5.29.37", "2.5.29.15"
UNCRITICAL = extension(SAN, der(0x30, der(0x82, b"web.example.org")))
WEIRD: dict[str, bytes] = {
    "negative serial number": certificate(serial=-5),
    "serial number 0": certificate(serial=0),
    "serial number of 4000 bits": certificate(serial=1 << 4000),
    "version 1": certificate(version=None, extensions=None),
    "version 2": certificate(version=1),
    "version 99": certificate(version=98),
    "year 9999": certificate(not_after=der(0x18, b"99991231235959Z")),
    "year 1": certificate(not_before=der(0x18, b"00010101000000Z"), not_after=der(0x18, b"00010101000001Z")),
    "year 0": certificate(not_before=der(0x18, b"00000101000000Z")),
    "ends before it begins": certificate(not_after=der(0x17, b"250101000000Z")),
    "month 13": certificate(not_after=der(0x17, b"491301000000Z")),
    "a time without a zone": certificate(not_after=der(0x17, b"490101000000")),
    "empty names": certificate(issuer=der(0x30), subject=der(0x30)),
    "non-ASCII subject": certificate(subject=name((CN, 0x0C, "Bücher 本 \u202e".encode()))),
    "escapes in the subject": certificate(subject=name((CN, 0x0C, b"\x1b[2J\x07\n\r"))),
    "invalid UTF-8": certificate(subject=name((CN, 0x0C, b"\xff\xfe"))),
    "BMP string": certificate(subject=name((CN, 0x1E, "本".encode("utf-16-be")))),
    "Teletex string": certificate(subject=name((CN, 0x14, b"\xe4\xf6"))),
    "a subject that is a bit string": certificate(subject=name(("2.5.4.45", 0x03, b"\0\x01"))),
    "two common names": certificate(subject=name((CN, 0x0C, b"a"), (CN, 0x0C, b"b"))),
    "an empty common name": certificate(subject=name((CN, 0x0C, b""))),
    "a subject of 100 kB": certificate(subject=name((CN, 0x0C, b"x" * 100_000))),
    "a name of 5000 characters": certificate(subject=name((CN, 0x0C, b"x" * 5000))),
    "an unknown critical extension": certificate(extensions=(extension("1.3.6.1.4.1.55555.1", b"x", critical=True),)),
    "duplicate extensions": certificate(extensions=(UNCRITICAL, UNCRITICAL)),
    "a garbled extension": certificate(extensions=(extension(SAN, b"\x30\x80"),)),
    "garbled basic constraints": certificate(extensions=(extension(BASIC, b"\x02\x01\x01"),)),
    "negative path length": certificate(extensions=(extension(BASIC, der(0x30, der(1, b"\xff"), integer(-1))),)),
    "an empty SAN": certificate(extensions=(extension(SAN, der(0x30)),)),
    "an x400 address": certificate(extensions=(extension(SAN, der(0x30, der(0xA3, b""))),)),
    "an address of 3 octets": certificate(extensions=(extension(SAN, der(0x30, der(0x87, b"abc"))),)),
    "a non-ASCII DNS name": certificate(extensions=(extension(SAN, der(0x30, der(0x82, b"b\xc3\xbccher"))),)),
    "escapes in a DNS name": certificate(extensions=(extension(SAN, der(0x30, der(0x82, b"\x1b[2Jx\n"))),)),
    "3000 names": certificate(extensions=(extension(SAN, der(0x30, *[der(0x82, b"a")] * 3000)),)),
    "9000 names": certificate(extensions=(extension(SAN, der(0x30, *[der(0x82, b"")] * 9000)),)),
    "an other name": certificate(
        extensions=(extension(SAN, der(0x30, der(0xA0, oid("1.2.3.4"), der(0xA0, der(0x05))))),)
    ),
    "an unknown usage": certificate(extensions=(extension(EKU, der(0x30, oid("1.3.6.1.4.1.1.1"))),)),
    "an empty key usage": certificate(extensions=(extension(KEY_USAGE, der(0x03, b"\0")),)),
    "an unknown signature algorithm": certificate(algorithm=der(0x30, oid("1.3.6.1.4.1.55555.2"))),
    "an unknown key algorithm": certificate(spki=der(0x30, der(0x30, oid("1.3.6.1.4.1.55555.3")), der(0x03, b"\0x"))),
    "an unknown curve": certificate(
        spki=der(0x30, der(0x30, oid("1.2.840.10045.2.1"), oid("1.3.132.0.6")), der(0x03, b"\0\x04" + b"x" * 32))
    ),
    "a point that is not on the curve": certificate(
        spki=der(
            0x30, der(0x30, oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), der(0x03, b"\0\x04" + b"x" * 64)
        )
    ),
    "RSA of 16384 bits": certificate(
        spki=der(
            0x30,
            der(0x30, oid("1.2.840.113549.1.1.1"), der(0x05)),
            der(0x03, b"\0", der(0x30, integer((1 << 16384) - 1), integer(65537))),
        )
    ),
    "RSA with exponent 1": certificate(
        spki=der(
            0x30,
            der(0x30, oid("1.2.840.113549.1.1.1"), der(0x05)),
            der(0x03, b"\0", der(0x30, integer((1 << 2048) - 1), integer(1))),
        )
    ),
    "no extensions at all": certificate(extensions=None),
}
