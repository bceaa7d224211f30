# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Whether the two halves that a pair's names join are of one key: names are given by anybody, so the key is asked."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from .keys import der, public_key_of
from .kinds import KINDS, type_of
from .library import pkcs11

if t.TYPE_CHECKING:
    from .objects import Pair
    from .token import OpenToken

_TRIAL = b"keystead: does this public half belong to this private one?"


def apart(token: OpenToken, pair: Pair) -> list[Pair]:
    """Return a pair as it is, or as two keys, where its halves say that they are not of one key.

    What neither says, nor a signature shows, is believed.
    """
    if not pair.whole:
        return [pair]
    try:
        one_key = _are_one(token, pair)
    except (RuntimeError, ValueError):
        one_key = True  # whoever uses it hears what is wrong
    return [pair] if one_key else [pair._replace(public=None), pair._replace(private=None)]


def _are_one(token: OpenToken, pair: Pair) -> bool:
    found = type_of(pair.public)
    if found != type_of(pair.private):
        return False
    if found.startswith("rsa-"):
        modulus = pkcs11().Attribute.MODULUS
        return bool(pair.private[modulus] == pair.public[modulus])
    kind = KINDS.get(found)
    if kind is None or not kind.signs or not hasattr(pair.private, "sign"):
        return True
    return _verifies(token, pair, found)


def _verifies(token: OpenToken, pair: Pair, key_type: str) -> bool:
    """Return whether the public half verifies what the private one signs: of a curve, only few tokens tell more."""
    kind, public_key = KINDS[key_type], public_key_of(key_type, pair)
    token.take(1)
    data = hashlib.new(kind.hash, _TRIAL).digest() if kind.hash else _TRIAL
    signature = bytes(pair.private.sign(data, mechanism=getattr(pkcs11().Mechanism, kind.signs)))
    try:
        if kind.hash is None:
            public_key.verify(signature, data)
        else:
            digest = getattr(hashes, kind.hash.upper())()
            public_key.verify(der(signature), data, ec.ECDSA(Prehashed(digest)))
    except InvalidSignature:
        return False
    return True
