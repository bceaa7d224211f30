# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A key in a token as the controller is told of it: its URI, its public key, and what the token says of it."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .._core.held import HALVES, Held
from .attributes import read
from .keys import public_key_of
from .kinds import KINDS, type_of
from .uri import Uri, text

if t.TYPE_CHECKING:
    from .objects import Pair
    from .token import OpenToken

_CLASSES = {"private": "private", "secret": "secret-key", "public": "public"}  # RFC 7512, 2.3: type


def held(token: OpenToken, pair: Pair) -> Held:
    """Return what is to be known of a key; the caller holds the token's lock. Raises KeysteadError."""
    halves = tuple(name for name in HALVES if getattr(pair, name) is not None)
    main = next(name for name in _CLASSES if name in halves)
    uri = text(Uri(token.label, token.serial, pair.id, pair.label, _CLASSES[main]))
    try:
        key_type = type_of(pair.public or pair.private or pair.secret)
        said = read(getattr(pair, main))
        public = _public(key_type, pair)
    except RuntimeError as error:
        raise token.said(error, f"reading {uri}") from None
    has, lacks = (tuple(name for name, value in said.items() if value is wanted) for wanted in (True, False))
    return Held(uri, pair.id.hex(), pair.label, key_type, halves, public, has, lacks)


def _public(key_type: str, pair: Pair) -> bytes | None:
    """Return the public key in DER (RFC 5280, 4.1.2.7); None for a secret key, and for what is not read here."""
    known = key_type.startswith("rsa-") or (key_type in KINDS and bool(KINDS[key_type].signs))
    if not known or pair.secret is not None:
        return None
    try:
        found = public_key_of(key_type, pair)
    except (ValueError, RuntimeError):  # the public half is gone, and the private one does not tell
        return None
    der: bytes = found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der
