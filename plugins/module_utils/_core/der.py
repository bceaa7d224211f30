# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A PKCS#10 request (RFC 2986) put together in DER (X.690), for a key that only signs.

Before version 50, cryptography's own builder takes no key but its own, and hosts have older ones.
"""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from .keys import spki

if t.TYPE_CHECKING:
    import ipaddress

    from .ports import SigningKey

_INTEGER, _BIT_STRING, _OCTET_STRING, _OID, _SEQUENCE, _SET, _ATTRIBUTES = 0x02, 0x03, 0x04, 0x06, 0x30, 0x31, 0xA0
_TRUE, _NULL = b"\x01\x01\xff", b"\x05\x00"
_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"  # RFC 2985, 5.4.2
_ALTERNATIVE_NAME = "2.5.29.17"  # RFC 5280, 4.2.1.6
_ALGORITHMS = {  # RFC 5758, 8410, 9881
    "ecdsa-p256": "1.2.840.10045.4.3.2",
    "ecdsa-p384": "1.2.840.10045.4.3.3",
    "ecdsa-p521": "1.2.840.10045.4.3.4",
    "ed25519": "1.3.101.112",
    "ml-dsa-44": "2.16.840.1.101.3.4.3.17",
    "ml-dsa-65": "2.16.840.1.101.3.4.3.18",
    "ml-dsa-87": "2.16.840.1.101.3.4.3.19",
}
_RSA = "1.2.840.113549.1.1.11"  # sha256WithRSAEncryption, RFC 8017, A.2.4


def request(
    subject: x509.Name, names: t.Sequence[x509.GeneralName], key: SigningKey, key_type: str, *, critical: bool
) -> bytes:
    """Return a signed request with a subject and, if there are any, alternative names."""
    asked = _attribute(names, critical=critical) if names else b""
    public_key = spki(key.public_key())
    info = _of(_SEQUENCE, _of(_INTEGER, b"\x00"), subject.public_bytes(), public_key, _of(_ATTRIBUTES, asked))
    return _of(_SEQUENCE, info, _algorithm(key_type), _of(_BIT_STRING, b"\x00", key.sign(info)))


def _attribute(names: t.Sequence[x509.GeneralName], *, critical: bool) -> bytes:
    value = _of(_OCTET_STRING, _of(_SEQUENCE, *map(_general_name, names)))
    extension = _of(_SEQUENCE, _oid(_ALTERNATIVE_NAME), _TRUE if critical else b"", value)
    return _of(_SEQUENCE, _oid(_EXTENSION_REQUEST), _of(_SET, _of(_SEQUENCE, extension)))


def _general_name(name: x509.GeneralName) -> bytes:
    """Return a GeneralName (RFC 5280, 4.2.1.6), which are IMPLICIT and, but for addresses, IA5Strings."""
    if isinstance(name, x509.IPAddress):
        return _of(0x87, t.cast("ipaddress.IPv4Address", name.value).packed)
    tags = {x509.RFC822Name: 0x81, x509.DNSName: 0x82, x509.UniformResourceIdentifier: 0x86}
    return _of(tags[type(name)], str(name.value).encode("ascii"))


def _algorithm(key_type: str) -> bytes:
    """Return the AlgorithmIdentifier of a signature; RSA's has NULL for parameters (RFC 4055, 5)."""
    if key_type.startswith("rsa-"):
        return _of(_SEQUENCE, _oid(_RSA), _NULL)
    return _of(_SEQUENCE, _oid(_ALGORITHMS[key_type]))


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return _of(_OID, *map(_base_128, (40 * first + second, *rest)))


def _base_128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(arc & 0x7F | 0x80)
    return bytes(reversed(digits))


def _of(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content
