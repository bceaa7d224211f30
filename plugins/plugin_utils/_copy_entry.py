# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A copy as an entry of names and values, for stores that keep such: which of them are ours, and how they differ."""

from __future__ import annotations

import hashlib
import typing as t

from ..module_utils._core import pki
from ..module_utils._core.errors import Misconfigured, Unavailable
from ..module_utils._core.keys import from_pem, spki_sha256

MARK = "keystead"
"""The name of the value that says whose entry it is, and what was written there: a label and a digest."""

_KEY = "private_key"

Parts = t.Mapping[str, bytes]
Entry = t.Mapping[str, t.Any]


MENDS = ("ok", "same", "certificate", "parts", "unreadable")
"""The states that an entry is brought out of with the private key that stands in it already."""
_STANDS_FOR = b"the private key with SPKI SHA-256 "


class Owner(t.NamedTuple):
    """Whose entries these are: a `label` of one identity alone, its name, and whether it may replace others'.

    `key_type` is that of the key which it declares; empty where it declares none.
    """

    label: str
    name: str
    replaces: bool
    key_type: str = ""


def stand_in(public_id: str) -> bytes:
    """Return what stands among the parts for a private key that is not at hand: which one it is."""
    return _STANDS_FOR + public_id.encode("ascii")


def is_at_hand(private_key: bytes) -> bool:
    """Tell whether a part is the private key itself."""
    return not private_key.startswith(_STANDS_FOR)


def key_id(private_key: bytes) -> str:
    """Return the SHA-256 of the SPKI of a private key (PEM), or of the one that is stood for; empty for no key."""
    if not is_at_hand(private_key):
        return private_key.removeprefix(_STANDS_FOR).decode("ascii")
    try:
        return spki_sha256(from_pem(private_key).public_key())
    except ValueError:
        return ""


def entry(parts: Parts, owner: Owner, found: Entry | None, who: str) -> dict[str, str]:
    """Return what is to be written: each part under its name, and the mark.

    A private key that is not at hand is the one that was `found`. Raises Unavailable, from `who`, for another.
    """
    values = _wanted(parts, found or {})
    if values is None:
        raise key_is_gone(who)
    return {**values, MARK: f"{owner.label} {_digest(values)}"}


def key_is_gone(who: str) -> Unavailable:
    """Return what is to be said where a private key is to be written and is not at hand."""
    return Unavailable(f"{who}: the private key cannot be had from the host; run again, and another one is made")


def _wanted(parts: Parts, found: Entry) -> dict[str, str] | None:
    """Return the values of an entry that holds the parts; None where nobody has its private key."""
    values, kept = {part: content.decode("ascii") for part, content in parts.items()}, str(found.get(_KEY))
    if _KEY in parts and _fits(kept, parts):
        values[_KEY] = kept
    return None if _KEY in parts and not is_at_hand(values[_KEY].encode()) else values


def _fits(private_key: str, parts: Parts) -> bool:
    """Tell whether a private key is the one of the parts."""
    return key_id(private_key.encode(errors="replace")) == key_id(parts[_KEY])


def state_of(found: Entry | None, parts: Parts | None, owner: Owner, where: str) -> str:
    """Return how an entry differs from the parts, a word of COPY_STATES. Raises Misconfigured for somebody else's."""
    if found is None:
        return "missing"
    values, ours = _values(found), str(found.get(MARK, "")).startswith(f"{owner.label} ")
    if parts is not None and values == _wanted(parts, found):
        return "ok" if ours and is_untouched(found, owner) else "same"
    if ours:
        return "certificate" if parts is None else _difference(values, parts)
    if owner.replaces:
        return "file"
    raise Misconfigured(
        f"{where.partition(' ')[0]}: {where.partition(' ')[2]} holds something else, which is not of {owner.name}; "
        f"move it away, or say replace_files: true for {owner.name}"
    )


def is_untouched(found: Entry, owner: Owner) -> bool:
    """Tell whether an entry is ours and still what was written."""
    return found.get(MARK) == f"{owner.label} {_digest(_values(found))}"


def _values(found: Entry) -> dict[str, t.Any]:
    return {name: value for name, value in found.items() if name != MARK}


def _digest(values: Entry) -> str:
    text = "".join(f"{name}\0{values[name]}\0" for name in sorted(values))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _difference(values: Entry, parts: Parts) -> str:
    """Say which part differs in its meaning, and first of all the private key."""
    if _KEY in parts and not _fits(str(values.get(_KEY)), parts):
        return "key"
    name = next((part for part in ("certificate", "fullchain") if part in parts), None)
    if name is None or name not in values:
        return "parts"
    try:
        theirs, ours = (pki.der_certificates(text)[0] for text in (str(values[name]).encode(), parts[name]))
    except ValueError:
        return "unreadable"
    return "certificate" if theirs != ours else "parts"
