# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The directory of one identity in a store, and the small records in it."""

from __future__ import annotations

import json
import os
import typing as t

from .directories import open_subdirectory
from .layout import CURRENT, DIRECTORY_MODE, MANIFEST, PENDING
from .safe_files import facts, read_file, read_link, remove, replace_link

LONGEST_NUMBER = 10  # digits


class Unproved(t.NamedTuple):
    """The record `pending`: which generation is on its way, what stood before it, and whether it is a new one."""

    generation: int
    before: int | None = None
    fresh: bool = True


class Place(t.NamedTuple):
    """One identity's directory. `store` is its parent's path, `fd` an open descriptor of the directory itself."""

    store: str
    name: str
    fd: int

    def current(self) -> int | None:
        """Return the number that `current` leads to, if it leads to a generation."""
        target = read_link(self.fd, CURRENT) or ""
        return int(target) if _is_number(target) and self.has(target) else None

    def point_to(self, number: int) -> None:
        """Make a generation the current one, by one rename."""
        replace_link(self.fd, CURRENT, str(number))

    def has(self, entry: str) -> bool:
        """Tell whether an entry is there."""
        return facts(self.fd, entry) is not None

    def entries(self) -> frozenset[str]:
        """Return the names of all that stands there."""
        return frozenset(os.listdir(self.fd))

    def numbers(self) -> list[int]:
        """Return the numbers of all generation directories, complete or not, in order."""
        return numbers_among(self.entries())

    def open_generation(self, entry: str) -> int | None:
        """Open the directory of a generation (`next` or a number)."""
        return open_subdirectory(self.fd, entry)

    def is_complete(self, number: int) -> bool:
        """Tell whether a generation has its manifest, which is the last thing written and the first removed."""
        return facts_of(self, str(number), MANIFEST)

    def key_uris(self) -> tuple[str | None, tuple[str, ...]]:
        """Return what names the key of the current generation, and of all, in a custody outside files."""
        current = self.current()
        found = {number: self.key_uri(number) for number in self.numbers()}
        return found.get(current or 0), tuple(uri for uri in found.values() if uri)

    def key_uri(self, number: int) -> str | None:
        """Return what names the key of a generation in a custody outside files."""
        directory = self.open_generation(str(number))
        if directory is None:
            return None
        try:
            uri = (manifest(directory) or {}).get("key_uri")
        finally:
            os.close(directory)
        return uri if isinstance(uri, str) else None

    def unproved(self) -> Unproved | None:
        """Return the record of a generation that no run has completed yet; one that cannot be read counts as none."""
        target = read_link(self.fd, PENDING)
        try:
            found = Unproved(*json.loads(target)) if target else None
        except (ValueError, TypeError, RecursionError):
            return None
        types = found and (type(found.generation), type(found.before))
        return found if types in ((int, int), (int, type(None))) else None

    def note(self, unproved: Unproved) -> None:
        """Write the record `pending` as the target of a link: whole or not there, and without a block on the disk."""
        replace_link(self.fd, PENDING, json.dumps(unproved))

    def completed(self) -> None:
        """Remove the record `pending`."""
        remove(self.fd, PENDING)


def numbers_among(entries: t.Iterable[str]) -> list[int]:
    """Return the numbers of the entries that are named as generations are, in order."""
    return sorted(int(entry) for entry in entries if _is_number(entry))


def _is_number(entry: str) -> bool:
    """Tell whether an entry is named as a generation is: 1, 2 and so on, and no more than the wire knows."""
    return entry.isdigit() and entry.isascii() and entry[0] != "0" and len(entry) <= LONGEST_NUMBER


def facts_of(place: Place, directory: str, entry: str) -> bool:
    """Tell whether a file stands in one of the identity's directories."""
    descriptor = place.open_generation(directory)
    if descriptor is None:
        return False
    try:
        return facts(descriptor, entry) is not None
    finally:
        os.close(descriptor)


def open_place(store: str, store_fd: int, name: str, *, create: bool = False) -> Place | None:
    """Open an identity's directory, making it when asked to; None when it is not there."""
    descriptor = open_subdirectory(store_fd, name, create_mode=DIRECTORY_MODE if create else None)
    return None if descriptor is None else Place(store, name, descriptor)


def manifest(directory_fd: int) -> dict[str, t.Any] | None:
    """Read a generation's manifest; None when it is missing or is not one."""
    content = read_file(directory_fd, MANIFEST)
    try:
        found = json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("files"), dict) else None
