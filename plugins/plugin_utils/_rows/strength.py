# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whose keys others can compute, and so forge: by the key itself, by a factor that it shares, or one above it."""

from __future__ import annotations

import typing as t

from .._findings import finding, weak
from .._weak_keys import weaknesses
from .authorities import Authorities, called
from .keys import key_of
from .shared import shared
from .signed import of_authority

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from .._ledger.chain import Readable
    from .row import Row

Finding = dict[str, str]
Broken = dict[t.Any, list[Finding]]
"""What is to be said of keys, by the key of a row."""


def weak_keys(rows: Sequence[Row], known: Collection[str] = ()) -> Broken:
    """Look at each key by itself; `known` are digests of keys that others have. Of others, nothing is compared."""
    return {row.key: list(_of_key(row, key_of(row), known)) for row in rows}


def broken_keys(ledger: Readable | None, rows: Sequence[Row], known: Collection[str] = ()) -> Broken:
    """Look also whether RSA keys share a factor, and at the keys and signatures of authorities above."""
    keys = {one.key: key for one in rows if (key := key_of(one)) is not None}
    above = Authorities(ledger)
    found = {row.key: list(_of_key(row, keys.get(row.key), known)) for row in rows}
    for key, some in shared(ledger, rows, keys, above).items():
        found[key] += some
    for chain, authority in above:
        said = [*_of_authority(authority, known)]
        for row in above.below(chain, rows) if said else ():
            found[row.key] += said
    return found


def _of_key(row: Row, public_key: t.Any, known: Collection[str]) -> Iterator[Finding]:
    if public_key is not None:
        yield from (finding("weak_key", f"{text}; replace its key") for text in weaknesses(public_key, known))
    elif row.spki in known:
        yield finding("weak_key", "its private key is known to others; replace its key")
    else:
        yield from weak(row.key_type)


def _of_authority(authority: t.Any, known: Collection[str]) -> Iterator[Finding]:
    for text in weaknesses(authority.public_key(), known):
        yield finding("weak_key", f"of {called(authority)}, above it: {text}; have it issued by another one")
    yield from of_authority(authority)
