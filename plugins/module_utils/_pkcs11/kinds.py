# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The types of keys by the names of this collection, and what PKCS#11 calls them."""

from __future__ import annotations

import typing as t

from .library import pkcs11


class Kind(t.NamedTuple):
    """A type of key: CKK, its size in bits, the mechanisms (CKM) that make it and sign with it.

    `parameters` is CKA_EC_PARAMS: the curve's object identifier in DER (RFC 5480, 8410). `hash` is what is done to the
    data before the token sees them, None where the mechanism takes the data themselves.
    """

    family: str
    bits: int
    makes: str
    signs: str = ""
    parameters: bytes = b""
    hash: str | None = None


_EC, _ED = ("EC", "EC_KEY_PAIR_GEN", "ECDSA"), ("EC_EDWARDS", "EC_EDWARDS_KEY_PAIR_GEN", "EDDSA")


def _rsa(bits: int) -> Kind:
    return Kind("RSA", bits, "RSA_PKCS_KEY_PAIR_GEN", "SHA256_RSA_PKCS")


def _ec(bits: int, oid: str, digest: str | None, family: tuple[str, str, str] = _EC) -> Kind:
    return Kind(family[0], bits, family[1], family[2], bytes.fromhex(oid), digest)


KINDS: dict[str, Kind] = {
    "ecdsa-p256": _ec(256, "06082a8648ce3d030107", "sha256"),
    "ecdsa-p384": _ec(384, "06052b81040022", "sha384"),
    "ecdsa-p521": _ec(521, "06052b81040023", "sha512"),
    "ed25519": _ec(256, "06032b6570", None, _ED),
    "rsa-2048": _rsa(2048),
    "rsa-3072": _rsa(3072),
    "rsa-4096": _rsa(4096),
    "aes-256": Kind("AES", 256, "AES_KEY_GEN"),
}
_CURVES = {kind.parameters: name for name, kind in KINDS.items() if kind.parameters}
_CURVES[b"\x13\x0cedwards25519"] = "ed25519"  # PKCS#11 3.0 allows the curve's name as well


def type_of(handle: t.Any) -> str:
    """Return the name of an object's type; one that this collection does not make is named as PKCS#11 does.

    RSA and AES of another size are `rsa-1024` and the like. Raises what python-pkcs11 raises.
    """
    library = pkcs11()
    try:
        family = handle[library.Attribute.KEY_TYPE]
    except ValueError:
        return "unknown"
    if family == library.KeyType.RSA:
        return f"rsa-{int.from_bytes(handle[library.Attribute.MODULUS], 'big').bit_length()}"
    if family == library.KeyType.AES:
        return f"aes-{8 * int(handle[library.Attribute.VALUE_LEN])}"
    if family in (library.KeyType.EC, library.KeyType.EC_EDWARDS):
        parameters = bytes(handle[library.Attribute.EC_PARAMS])
        return _CURVES.get(parameters, f"{family.name.lower()} {parameters.hex()}")
    return str(family.name).lower()


def able(slot: t.Any) -> list[str]:
    """Return the types that a token can make and use, as its list of mechanisms and their sizes say."""
    library = pkcs11()
    known = {int(one) for one in slot.get_mechanisms()}
    return [name for name, kind in KINDS.items() if _able(library, slot, known, kind)]


def _able(library: t.Any, slot: t.Any, known: set[int], kind: Kind) -> bool:
    needed = [int(getattr(library.Mechanism, name)) for name in (kind.makes, kind.signs) if name]
    if not set(needed) <= known:
        return False
    if kind.family == "AES":  # its sizes are in bytes, or in bits: tokens differ
        return True
    info = slot.get_mechanism_info(getattr(library.Mechanism, kind.makes))
    return bool(info.min_key_length <= kind.bits <= info.max_key_length) or not info.max_key_length
