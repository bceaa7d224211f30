# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Tells the service that reads anchors of a change, and remembers on the disk that it is to be told until it was."""

from __future__ import annotations

import contextlib
import hashlib
import os
import typing as t

from .._core.model import Done
from .._core.trust import DEFAULT_DIRECTORY
from .activation import activate
from .directories import find_directory
from .safe_files import name_of_ours, read_link, remove, replace_link

if t.TYPE_CHECKING:
    from .._core.model import Activation
    from .._core.trust import TrustErrand

TOLD = "activate"


class Journal:
    """The note that a service is to be told: a link that leads nowhere, so that it is whole or not there.

    It stands beside the file. In the system's store a tool may read every file and compare the times of directories, so
    there it stands where files of ours are by default. Its target is the digest of what was to be written: a run takes
    back its own note, and not that of another one which changed the anchors meanwhile.
    """

    def __init__(self, errand: TrustErrand) -> None:
        """Keep which bundle it is about."""
        path = errand.path or f"{DEFAULT_DIRECTORY}/{errand.name}.system"
        self._parent, _slash, self._file = path.rpartition("/")
        self._makes_directory = errand.makes_directory or not errand.path
        self._errand = errand
        self._name = f".{self._file[:200]}.keystead-pending"

    def noted(self) -> str | None:
        """Return the digest of what a service is still to be told of; None where there is no such thing."""
        with self._directory(make=False) as directory:
            return None if directory is None else read_link(directory, self._name)

    def begin(self) -> None:
        """Note it, before anything is changed. A bundle that goes takes along what an earlier run noted."""
        if self._errand.activate:
            digest = hashlib.sha256(b"".join(sorted(self._errand.anchors))).hexdigest()
            with self._directory(make=self._makes_directory) as directory:
                if directory is not None:
                    replace_link(directory, self._name, digest, temporary=name_of_ours(self._file))
        elif not self._errand.anchors:
            self.forget(self.noted())

    def forget(self, digest: str | None) -> None:
        """Take a note back."""
        with self._directory(make=False) as directory:
            if directory is not None and digest is not None and read_link(directory, self._name) == digest:
                remove(directory, self._name)

    @contextlib.contextmanager
    def _directory(self, *, make: bool) -> t.Iterator[int | None]:
        directory = find_directory(self._parent or "/", create_mode=0o755 if make else None)
        try:
            yield directory
        finally:
            if directory is not None:
                os.close(directory)


def told(activation: Activation, journal: Journal) -> Done:
    """Tell the service; the note stays where that fails. What does not run reads its anchors when it starts."""
    digest = journal.noted()
    result = activate(activation, activation.timeout)
    if result.outcome == "failed":
        return Done(TOLD, "", result.seconds, result.message)
    journal.forget(digest)
    return Done(TOLD, f"skipped: {result.message}" if result.outcome == "skipped" else "", result.seconds)
