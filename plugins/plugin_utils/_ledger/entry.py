# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One event as the chain knows it, and the hash that covers it and all before it (rule A2)."""

from __future__ import annotations

import hashlib
import json
import typing as t

_CODED = json.encoder.encode_basestring


class Entry(t.NamedTuple):
    """An event with what its batch says of it. `actor` is canonical JSON already, `at` a moment of the ledger."""

    seq: int
    batch: int
    at: str
    host: str
    store: str
    actor: str
    identity: str
    generation: int | None
    action: str
    reason: str
    outcome: str
    message: str
    milliseconds: int
    attempts: int


NAMES = tuple(sorted((*Entry._fields, "prev")))
"""What an event is made of in canonical JSON, in its order there: `prev` is the hash of the event before."""


def text(link: str, entry: Entry) -> str:
    """Return an event as canonical JSON (RFC 8785).

    Nothing in it is more than text, a whole number or null, of which the standard library writes what the RFC says;
    for a million events that counts.
    """
    values = dict(zip(Entry._fields, entry, strict=True))
    coded = {name: _CODED(value) if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    coded |= {"actor": entry.actor, "prev": _CODED(link)}
    return "{" + ",".join([f'"{name}":{coded[name]}' for name in NAMES]) + "}"


def digest(link: str, entry: Entry) -> str:
    """Return the SHA-256 that names an event after the one with the hash `link`, in hex."""
    return hashlib.sha256(text(link, entry).encode()).hexdigest()


def called(entry: Entry) -> str:
    """Return what an event is called in a sentence."""
    return f"event {entry.seq} ({entry.action} of {entry.identity} on {entry.host})"
