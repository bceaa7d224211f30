# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Which files outside the store an identity has written: `<store>/<identity>/copies.json`, for nobody else to read."""

from __future__ import annotations

import hashlib
import json
import typing as t

from .safe_files import read_file, remove, write_file

if t.TYPE_CHECKING:
    from .._core.publication import Publication
    from .place import Place

COPIES = "copies.json"
FORMAT = 1

Entry = t.Dict[str, t.Any]


class CopyRecord:
    """`{"format": 1, "files": {path: {"publisher", "parts", "sha256": [to be written, there before], "written"}}}`.

    The intent is written before the file, so that what a killed run wrote is known by its digest; only what was written
    and read again makes a path ours whatever it holds (`written`). What a file holds is known by its digest, since a
    password that is no longer declared does not open it.
    """

    def __init__(self, place: Place | None) -> None:
        """Read it; one that cannot be read counts as none, and then no file is ours."""
        self._place = place
        content = read_file(place.fd, COPIES) if place else None
        try:
            found = json.loads(content)["files"] if content else {}
            self._files: dict[str, Entry] = {str(path): _checked(entry) for path, entry in found.items()}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._files = {}

    def paths(self) -> tuple[str, ...]:
        """Return the files that were written, or were to be."""
        return tuple(self._files)

    def entry(self, path: str) -> Entry | None:
        """Return what is known of a path, for `put_back`."""
        return self._files.get(path)

    def is_ours(self, path: str, content: bytes | None) -> bool:
        """Tell whether a file with this content is ours to write: it is our work, or was it once, whole."""
        return path in self._files and (self._files[path]["written"] or self.holds(path, content))

    def is_whole(self, path: str) -> bool:
        """Tell whether a run completed what it wrote there."""
        return path in self._files and bool(self._files[path]["written"])

    def holds(self, path: str, content: bytes | None) -> bool:
        """Tell whether a content is what was written there."""
        return content is not None and path in self._files and _digest(content) in self._files[path]["sha256"]

    def parts(self, path: str) -> tuple[str, ...]:
        """Return the parts that were written there."""
        return tuple(self._files[path]["parts"])

    def note(self, publication: Publication, content: bytes, there: bytes | None) -> None:
        """Write down what is going to be written in the place of what is `there`."""
        path = publication.path
        before = [_digest(there)] if there is not None and self.holds(path, there) else []
        self._files[path] = {
            "publisher": publication.publisher,
            "parts": list(publication.parts),
            "sha256": [_digest(content), *before],
            "written": self.is_whole(path),
        }
        self._write()

    def complete(self, path: str) -> None:
        """Write down that a file was written and read again: from now on it is ours, and is repaired."""
        if not self.is_whole(path):
            self._files[path]["written"] = True
            self._write()

    def put_back(self, path: str, entry: Entry | None) -> None:
        """Write down what was known of a path before."""
        if entry is None:
            self.forget(path)
        else:
            self._files[path] = entry
            self._write()

    def forget(self, path: str) -> None:
        """Write down that a file is not ours any more."""
        if self._files.pop(path, None) is not None:
            self._write()

    def _write(self) -> None:
        if self._place is None:
            return
        if not self._files:
            remove(self._place.fd, COPIES)
            return
        content = json.dumps({"format": FORMAT, "files": self._files}, indent=1, sort_keys=True).encode()
        write_file(self._place.fd, COPIES, content, mode=0o600)


def _checked(entry: t.Any) -> Entry:
    lists = {name: [*map(str, entry[name])] for name in ("parts", "sha256")}
    return {"publisher": str(entry["publisher"]), **lists, "written": entry.get("written") is True}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
