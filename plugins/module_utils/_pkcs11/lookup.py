# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a key store wants to know of a token: what has a label now, what is meant, and that a key is gone."""

from __future__ import annotations

import typing as t

from .._core.errors import Misconfigured, NotConverged
from .kinds import type_of
from .uri import Uri, text

if t.TYPE_CHECKING:
    from .objects import Pair
    from .token import OpenToken


def only(token: OpenToken, found: list[Pair]) -> Pair | None:
    """Return what there is one of; None where there is none. Raises Misconfigured where there are several."""
    if len(found) > 1:
        uris = " and ".join(sorted(uri_of(token, pair) for pair in found))
        raise Misconfigured(f"pkcs11: {token.name} has {len(found)} keys that may be meant, {uris}; destroy the others")
    return found[0] if found else None


def labelled(token: OpenToken, label: str) -> list[Pair]:
    """Return what has a label, as the token says now."""
    try:
        return token.objects.look_again(label=label)
    except RuntimeError as error:
        raise token.said(error, f"looking for keys with the label {label}") from None


def key_type(token: OpenToken, pair: Pair) -> str:
    """Return the name of a key's type. Raises KeysteadError."""
    try:
        return type_of(next(filter(None, (pair.public, pair.private, pair.secret))))
    except RuntimeError as error:
        raise token.said(error, f"reading the type of {uri_of(token, pair)}") from None


def uri_of(token: OpenToken, pair: Pair) -> str:
    """Return the URI of a key."""
    kind = "secret-key" if pair.secret is not None else "private" if pair.private is not None else "public"
    return text(Uri(token.label, token.serial, pair.id, pair.label, kind))


def destroy(token: OpenToken, pairs: t.Iterable[Pair]) -> None:
    """Destroy keys, look again, and raise NotConverged where one is still there. The caller holds the token's lock."""
    for pair in pairs:
        uri = uri_of(token, pair)
        try:
            objects = token.objects
            objects.destroy(pair)
            others = objects.known(pair)  # which have the same names, and are none of it
            objects.look_again(label=pair.label, identifier=pair.id)
            still = objects.known(pair) > others
        except RuntimeError as error:
            raise token.said(error, f"destroying {uri}") from None
        if still:
            raise NotConverged(f"pkcs11: {token.name} says that it destroyed {uri}, and still has it; do it by hand")
