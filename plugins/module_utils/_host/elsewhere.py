# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Looks at the keys of an identity that are in no file."""

from __future__ import annotations

import typing as t

from .._core.keys import spki_sha256
from .._core.model import Finding
from .._core.ports import Leftovers
from .._keystores.registry import keystore

if t.TYPE_CHECKING:
    from .._core.model import Credential, Identity
    from .place import Place


class Elsewhere(t.NamedTuple):
    """What is to be said of keys in no file: what names them, and, of a token of the host, what is in it.

    `left` tells that a killed run left keys behind. `public_id` is of the key of the current generation, None where it
    is gone, if that was `looked` for.
    """

    key_uris: tuple[str, ...] = ()
    left: bool = False
    looked: bool = False
    public_id: str | None = None


def look(place: Place, wanted: Identity, custody: str | None) -> Elsewhere:
    """Look where the current generation has its key, by its record; `custody` is None where there is none."""
    if "file" in (wanted.key.custody, custody):
        return Elsewhere()
    uris = place.key_uris()[1]
    if wanted.key.token is None or custody not in (None, wanted.key.custody):
        return Elsewhere(uris)
    keys = keystore(place, wanted.key)
    left = isinstance(keys, Leftovers) and keys.left() is not None
    key = keys.current() if custody else None
    return Elsewhere(uris, left, custody is not None, None if key is None else spki_sha256(key.public_key()))


def pair(found: Elsewhere, credential: Credential | None, custody: str) -> t.Iterator[Finding]:
    """Compare the key in a token with the certificate."""
    if not found.looked:
        return
    if found.public_id is None:
        yield Finding("key_gone", custody)
    elif credential is not None and credential.public_id != found.public_id:
        yield Finding("pair_mismatched", custody)
