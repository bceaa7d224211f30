# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A key in a token as the controller is told of it: its URI, its public key, and what the token says of it."""

from __future__ import annotations

import typing as t

from .._core.held import HALVES, Held
from .._core.keys import spki
from .attributes import read
from .keys import public_key_of
from .kinds import KINDS
from .lookup import key_type as type_of
from .lookup import uri_of

if t.TYPE_CHECKING:
    from .objects import Pair
    from .token import OpenToken

_MAIN = ("private", "secret", "public")  # which half tells what a key may do


def held(token: OpenToken, pair: Pair) -> Held:
    """Return what is to be known of a key; the caller holds the token's lock. Raises KeysteadError."""
    halves = tuple(name for name in HALVES if getattr(pair, name) is not None)
    main = next(name for name in _MAIN if name in halves)
    uri, key_type = uri_of(token, pair), type_of(token, pair)
    try:
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
        return spki(public_key_of(key_type, pair))
    except (ValueError, RuntimeError):  # the public half is gone, and the private one does not tell
        return None
