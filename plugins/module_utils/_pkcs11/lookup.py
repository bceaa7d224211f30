# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Which key in a token is meant, where neither label nor id is unique; and that a key is gone when it was destroyed."""

from __future__ import annotations

import typing as t

from .._core.errors import Misconfigured, NotConverged
from .kinds import type_of
from .uri import Uri, text

if t.TYPE_CHECKING:
    from .objects import Pair
    from .token import OpenToken


class Wanted(t.NamedTuple):
    """What a key must have; None is anything."""

    label: str | None = None
    id: bytes | None = None
    type: str | None = None


def find(token: OpenToken, wanted: Wanted) -> Pair | None:
    """Return the one key that fits, of which only half may be there; None where none does.

    The caller holds the token's lock. Raises Misconfigured where several fit.
    """
    return only(token, every(token, wanted))


def only(token: OpenToken, found: list[Pair]) -> Pair | None:
    """Return what there is one of; None where there is none. Raises Misconfigured where there are several."""
    if len(found) > 1:
        uris = " and ".join(sorted(uri_of(token, pair) for pair in found))
        raise Misconfigured(f"pkcs11: {token.name} has {len(found)} keys that fit, {uris}; say which by label and id")
    return found[0] if found else None


def every(token: OpenToken, wanted: Wanted) -> list[Pair]:
    """Return all keys that fit, as the token says now where a label or an id is named."""
    try:
        objects = token.objects
        if wanted.label is None and wanted.id is None:
            found = objects.every()
        else:
            found = objects.look_again(label=wanted.label, identifier=wanted.id)
    except RuntimeError as error:
        raise token.said(error, "looking for keys") from None
    return [pair for pair in found if wanted.type in (None, key_type(token, pair))]


def key_type(token: OpenToken, pair: Pair) -> str:
    """Return the name of a key's type. Raises KeysteadError."""
    try:
        return type_of(next(filter(None, (pair.public, pair.private, pair.secret))))
    except RuntimeError as error:
        raise token.said(error, f"reading the type of {uri_of(token, pair)}") from None


def uri_of(token: OpenToken, pair: Pair) -> str:
    """Return the URI of a key."""
    kind = "secret-key" if pair.secret is not None else "private"
    return text(Uri(token.label, token.serial, pair.id, pair.label, kind))


def destroy(token: OpenToken, pairs: t.Iterable[Pair]) -> None:
    """Destroy keys, look again, and raise NotConverged where one is still there. The caller holds the token's lock."""
    for pair in pairs:
        uri = uri_of(token, pair)
        try:
            token.objects.destroy(pair)
            still = token.objects.look_again(label=pair.label, identifier=pair.id)
        except RuntimeError as error:
            raise token.said(error, f"destroying {uri}") from None
        if still:
            raise NotConverged(f"pkcs11: {token.name} says that it destroyed {uri}, and still has it; do it by hand")
