# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Copies of the other identities of a store: what is theirs is never taken (W6), unless they give it up right then."""

from __future__ import annotations

import os
import typing as t

from .._core.errors import Misconfigured
from .copy_record import CopyRecord
from .directories import find_directory
from .place import open_place

if t.TYPE_CHECKING:
    from .._core.model import Identity


def holder(store: str, name: str, path: str, content: bytes | None, *, exactly: bool = False) -> str | None:
    """Return the identity beside `name` whose file this is; with `exactly`, only one that wrote this content."""
    store_fd = find_directory(store)
    if store_fd is None:
        return None
    try:
        for other in sorted(os.listdir(store_fd)):
            if other != name and not other.startswith(".") and _has(store, store_fd, other, path, content, exactly):
                return other
    finally:
        os.close(store_fd)
    return None


def _has(  # noqa: PLR0913, PLR0917 - what is asked of each
    store: str, store_fd: int, other: str, path: str, content: bytes | None, exactly: bool  # noqa: FBT001
) -> bool:
    try:
        place = open_place(store, store_fd, other)
    except (Misconfigured, OSError):  # no identity's directory
        return False
    if place is None:
        return False
    try:
        record = CopyRecord(place)
        return record.holds(path, content) if exactly else record.is_ours(path, content)
    finally:
        os.close(place.fd)


def gives_up(path: str, other: str, siblings: t.Mapping[str, Identity]) -> bool:
    """Tell whether another identity is in the same task, and leaves a path to others there."""
    found = siblings.get(other)
    if found is None or found.state not in ("present", "absent"):
        return False
    declared = {*(one.path for one in found.publish), *(link.path for link in found.files.links)}
    return found.state == "absent" or path not in declared


def refuse(path: str, what: str, other: str) -> t.NoReturn:
    """Say whose it is."""
    raise Misconfigured(f"host: {path} is a {what} of identity {other}; take it out of one of the two declarations")
