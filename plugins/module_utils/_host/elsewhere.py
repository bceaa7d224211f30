# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Looks at the keys of an identity that are in no file."""

from __future__ import annotations

import typing as t

from .._core.keys import spki_sha256
from .._core.model import Finding
from .._core.ports import Foreseeing, Leftovers
from .._keystores.registry import keystore

if t.TYPE_CHECKING:
    from .._core.model import Credential, Identity
    from .place import Place


class Elsewhere(t.NamedTuple):
    """What is to be said of keys in no file: what names them, and, of a token of the host, what is in it.

    `left` tells that a killed run left keys behind. `public_id` is of the key of the current generation, None where it
    is gone, if that was `looked` for; `place` is where it is, if that is not the token that is declared. `other_gone`
    tells that the generation that is to be current has no key any more.
    """

    key_uris: tuple[str, ...] = ()
    left: bool = False
    looked: bool = False
    public_id: str | None = None
    place: str | None = None
    other_uri: str | None = None
    other_gone: bool = False


def look(place: Place | None, wanted: Identity, custody: str | None, other: int | None = None) -> Elsewhere:
    """Look where the current generation has its key, by its record; `custody` is None where there is none.

    `other` is the number of the generation that is to be current and is not.
    """
    if "file" in (wanted.key.custody, custody):
        return Elsewhere()
    current, uris = place.key_uris() if place else (None, ())
    other_uri = place.key_uri(other) if place and other else None
    looks = wanted.key.token is not None and wanted.state in ("present", "absent")
    if not looks or custody not in (None, wanted.key.custody):
        return Elsewhere(uris, other_uri=other_uri)
    keys = keystore(place, wanted.key)
    found = Elsewhere(uris, isinstance(keys, Leftovers) and keys.left() is not None, other_uri=other_uri)
    if other_uri and keystore(place, wanted.key, current=other_uri).current() is None:
        found = found._replace(other_gone=True)
    if not custody:
        return found
    key = keys.current()
    public_id = None if key is None else spki_sha256(key.public_key())
    where = keys.elsewhere(current or "") if isinstance(keys, Foreseeing) and key is None else None
    return found._replace(looked=True, public_id=public_id, place=where)


def pair(found: Elsewhere, credential: Credential | None, custody: str) -> t.Iterator[Finding]:
    """Compare the key in a token with the certificate."""
    if not found.looked:
        return
    if found.place is not None:
        yield Finding("key_elsewhere", custody, found.place)
    elif found.public_id is None:
        yield Finding("key_gone", custody)
    elif credential is not None and credential.public_id != found.public_id:
        yield Finding("pair_mismatched", custody)
