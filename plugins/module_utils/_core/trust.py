# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The anchors that a host holds: what trust_bundle asks of it and what comes back. Certificates are DER.

These nouns are read here, and not by the table of `wire`: a run that is not about anchors loads nothing of them.
"""

from __future__ import annotations

import typing as t

from . import wire
from .model import Activation

ERRANDS = ("look", "write", "activate")
STATES = ("missing", "ours", "drift", "others")
DEFAULT_DIRECTORY = "/var/lib/keystead/trust"


class TrustErrand(t.NamedTuple):
    """What a host is to do: look, or write exactly these anchors, where `seen` is what it saw; none removes the bundle.

    Without a `path` they stand in the system's store. `makes_directory` tells that the directory is ours to make.
    `activate` says how the service is told that reads them: after they were written, or alone, where an earlier run did
    not come to it.
    """

    errand: str
    name: str
    path: str | None = None
    anchors: tuple[bytes, ...] = ()
    seen: str = ""
    makes_directory: bool = False
    activate: Activation | None = None


class TrustSeen(t.NamedTuple):
    """What a host holds under the name of a bundle: `where`, and the anchors in it that can be read.

    `state` is `drift` where it is ours and not as it is written, with `detail`, and `others` where somebody else made
    the file; `detail` then says what it holds beside certificates, or nothing. `digest` names just this state, and
    `pending` tells that a run changed it and did not come to tell the service that reads it.
    """

    where: str
    state: str
    digest: str = ""
    detail: str = ""
    anchors: tuple[bytes, ...] = ()
    pending: bool = False


def _or_none(reader: wire.Reader) -> wire.Reader:
    return lambda value: None if value is None else reader(value)


_DOWN: dict[str, wire.Reader] = {
    "errand": wire.word(ERRANDS), "name": wire.text, "path": _or_none(wire.text), "anchors": wire.many(wire.binary),
    "seen": wire.text, "makes_directory": wire.flag, "activate": _or_none(wire.one(Activation)),
}  # fmt: skip
_UP: dict[str, wire.Reader] = {
    "where": wire.text, "state": wire.word(STATES), "digest": wire.text, "detail": wire.text,
    "anchors": wire.many(wire.binary), "pending": wire.flag,
}  # fmt: skip


def packed(noun: t.Any) -> dict[str, t.Any]:
    """Return one of these nouns as JSON."""
    return {name: wire.pack(value) for name, value in zip(noun._fields, noun)}


def errand_of(value: t.Any) -> TrustErrand:
    """Read what came down. Raises ValueError that names the field."""
    return TrustErrand(**_read(value, _DOWN, "errand"))


def seen_of(value: t.Any) -> TrustSeen:
    """Read what came up. Raises ValueError that names the field."""
    return TrustSeen(**_read(value, _UP, "answer"))


def _read(value: t.Any, shape: dict[str, wire.Reader], called: str) -> dict[str, t.Any]:
    if not isinstance(value, dict) or value.keys() != shape.keys():
        raise ValueError(f"{called} has other fields")
    found = {}
    for name, reader in shape.items():
        try:
            found[name] = reader(value[name])
        except ValueError as error:
            raise ValueError(f"{called}.{name} is {error}") from None
    return found
