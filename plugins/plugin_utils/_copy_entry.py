# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A copy as an entry of names and values, for stores that keep such: which of them are ours, and how they differ."""

from __future__ import annotations

import hashlib
import typing as t

from ..module_utils._core import pki
from ..module_utils._core.errors import Misconfigured

MARK = "keystead"
"""The name of the value that says whose entry it is, and what was written there: a label and a digest."""

Parts = t.Mapping[str, bytes]
Entry = t.Mapping[str, t.Any]


class Owner(t.NamedTuple):
    """Whose entries these are: a `label` of one identity alone, its name, and whether it may replace others'."""

    label: str
    name: str
    replaces: bool


def entry(parts: Parts, owner: Owner) -> dict[str, str]:
    """Return what is to be written: each part under its name, and the mark."""
    values = {part: content.decode("ascii") for part, content in parts.items()}
    return {**values, MARK: f"{owner.label} {_digest(values)}"}


def state_of(found: Entry | None, parts: Parts | None, owner: Owner, where: str) -> str:
    """Return how an entry differs from the parts, a word of COPY_STATES. Raises Misconfigured for somebody else's."""
    if found is None:
        return "missing"
    values, ours = _values(found), str(found.get(MARK, "")).startswith(f"{owner.label} ")
    wanted = None if parts is None else _values(entry(parts, owner))
    if values == wanted:
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
    """Say which part differs in its meaning."""
    name = next((part for part in ("certificate", "fullchain") if part in parts), None)
    if name is None or name not in values:
        return "parts"
    try:
        theirs, ours = (pki.der_certificates(text)[0] for text in (str(values[name]).encode(), parts[name]))
    except ValueError:
        return "unreadable"
    return "certificate" if theirs != ours else "parts"
