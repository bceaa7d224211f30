# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A key that key_rotate has replaced: its label means the active generation, and `absent` means all of them."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.held import generation_of
from ...module_utils._pkcs11.uri import parse
from .._key_rotate.history import staged
from .._ledger import queries
from .decide import name_of
from .record import place_of
from .wanted import WHO

if t.TYPE_CHECKING:
    from ...module_utils._core.held import Held, Seen
    from .._ledger.chain import Readable
    from .wanted import Wanted


class Meant(t.NamedTuple):
    """What is wanted, now that it is known which generation is active, what may be it, and the other generations."""

    wanted: Wanted
    seen: Seen
    others: tuple[Held, ...] = ()


def active(book: Readable, wanted: Wanted, seen: Seen) -> Meant:
    """Return what a label means. Raises Misconfigured for an id beside the label of a key that was replaced."""
    if wanted.label is None:
        return Meant(wanted, seen)
    rows = queries.backend_keys(book, place=place_of(seen), label=wanted.label)
    numbers = {row["uri"]: generation_of(parse(row["uri"]).object, wanted.label) or 1 for row in rows}
    if not wanted.has_generations:
        _check_id(wanted, seen, numbers)
        return Meant(wanted, seen)
    mine = [key for key in seen.keys if key.uri in numbers]
    last = max(mine, key=lambda key: numbers[key.uri], default=None)
    if last is None or numbers[last.uri] == 1:  # whatever else has a label like it is another key
        return Meant(wanted, seen._replace(keys=tuple(key for key in seen.keys if key.label == wanted.label)))
    begun = staged(book, place_of(seen), wanted.label)
    waiting = [key for key in seen.keys if key.uri not in numbers and generation_of(key.label, wanted.label) in begun]
    others = tuple(key for key in (*mine, *waiting) if key != last)
    return Meant(wanted._replace(now=last.label), seen._replace(keys=(last,)), others)


def _check_id(wanted: Wanted, seen: Seen, numbers: t.Mapping[str, int]) -> None:
    """Refuse to make a first generation again: it would be beside the active one."""
    rotated = [uri for uri, number in numbers.items() if number > 1]
    if rotated and wanted.present and not any(key.id == wanted.id for key in seen.keys):
        raise Misconfigured(
            f"{WHO}: {name_of(seen)} has {rotated[-1]} by now in the place of the key with {wanted.called}, since "
            "key_rotate replaced it; leave id out"
        )
