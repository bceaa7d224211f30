# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A key that key_rotate has replaced: its label means the active generation, and `absent` means all of them."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.held import generation_of
from ...module_utils._pkcs11.uri import parse
from .._key_rotate.history import history
from .._key_rotate.model import Version
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
    _check_is_known(book, wanted, seen, numbers)
    if last is None or numbers[last.uri] == 1:  # whatever else has a label like it is another key
        return Meant(wanted, seen._replace(keys=tuple(key for key in seen.keys if key.label == wanted.label)))
    known = history(book, place_of(seen), wanted.label)
    waiting = [key for key in seen.keys if key.uri not in numbers and known.awaits(_version(key, wanted.label))]
    others = tuple(key for key in (*mine, *waiting) if key != last)
    return Meant(wanted._replace(now=last.label), seen._replace(keys=(last,)), others)


def _check_is_known(book: Readable, wanted: Wanted, seen: Seen, numbers: t.Collection[str]) -> None:
    """Refuse to take over, make or return a key where the token has a later one than all that the ledger knows.

    It was lost, or put back from a backup: what it knows was replaced, perhaps since it leaked. Raises Misconfigured.
    """
    label = wanted.label or ""
    later = [key for key in seen.keys if key.uri not in numbers and generation_of(key.label, label) not in (None, 1)]
    if not later or not wanted.present:
        return
    known = history(book, place_of(seen), label)
    for key in later:
        version = _version(key, label)
        if known.is_behind(version.number) and not known.awaits(version) and not _is_declared(book, key):
            raise Misconfigured(
                f"{WHO}: {name_of(seen)} has {key.uri} too, later than all that the ledger knows with {wanted.called}, "
                "so it may be older than that, and nobody knows which one is in use; put the newest ledger back, or "
                f"declare {key.label} as a key of its own, or destroy it, or say by id which one is meant"
            )


def _is_declared(book: Readable, key: Held) -> bool:
    return bool(queries.key_owners(book, key.uri) or queries.key_holders(book, key.uri))


def _version(key: Held, label: str) -> Version:
    return Version(key.uri, generation_of(key.label, label) or 0, key.type, key.public_key, usable=key.usable)


def _check_id(wanted: Wanted, seen: Seen, numbers: t.Mapping[str, int]) -> None:
    """Refuse to make a first generation again: it would be beside the active one."""
    rotated = [uri for uri, number in numbers.items() if number > 1]
    if rotated and wanted.present and not any(key.id == wanted.id for key in seen.keys):
        raise Misconfigured(
            f"{WHO}: {name_of(seen)} has {rotated[-1]} by now in the place of the key with {wanted.called}, since "
            "key_rotate replaced it; leave id out"
        )
