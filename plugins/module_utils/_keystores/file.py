# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Private keys in files: the staged one waits in `next/`, the current one stands in its generation (rules W1, W3)."""

from __future__ import annotations

import os
import typing as t

from .._core.keys import form_of, from_pem, generate, to_pem
from .._host.directories import open_subdirectory
from .._host.layout import FILE_OF, NEXT, STAGING_MODE
from .._host.safe_files import create_file, read_file, remove_tree

if t.TYPE_CHECKING:
    from .._host.place import Place

FILE = FILE_OF["private_key"]


class FileKeyStore:
    """The keys of one identity. Publishing a generation promotes its key, since both are one rename."""

    def __init__(self, place: Place, form: str) -> None:
        """Keep whose keys these are, and in which of KEY_FORMS they are written."""
        self._place, self._form = place, form

    def current(self) -> t.Any:
        """Return the current key; None when there is none; raises ValueError when it cannot be parsed."""
        number = self._place.current()
        return None if number is None else self._load(str(number))

    def staged(self) -> t.Any:
        """Return the key that waits in `next/`; None when there is none, it was cut off, or has another form."""
        try:
            pem = self._read(NEXT)
            return None if pem is None or form_of(pem) != self._form else from_pem(pem)
        except (ValueError, TypeError):
            return None

    def stage(self, key_type: str) -> t.Any:
        """Make a key and keep it in a `next/` of its own, for nobody else to read."""
        key = generate(key_type)
        keep(self._place, to_pem(key, self._form))
        return key

    def promote(self) -> None:
        """Do nothing: the rename that publishes the generation carries the key."""

    def delete(self) -> None:
        """Destroy the staged key."""
        remove_tree(self._place.fd, NEXT)

    def _load(self, entry: str) -> t.Any:
        pem = self._read(entry)
        return None if pem is None else from_pem(pem)

    def _read(self, entry: str) -> bytes | None:
        directory = self._place.open_generation(entry)
        if directory is None:
            return None
        try:
            return read_file(directory, FILE)
        finally:
            os.close(directory)


def keep(place: Place, pem: bytes) -> None:
    """Keep a key in a `next/` of its own, for nobody else to read, in the place of any that waits there."""
    remove_tree(place.fd, NEXT)
    directory = open_subdirectory(place.fd, NEXT, create_mode=STAGING_MODE)
    if directory is not None:
        try:
            create_file(directory, FILE, pem, mode=0o600)
        finally:
            os.close(directory)
