# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Looks for keys and certificates in directories: within bounds, following no link to a directory, touching nothing."""

from __future__ import annotations

import os
import stat
import time
import typing as t
import warnings

from .._core.model import Adopt
from .._core.wire import LONGEST_TEXT, pack
from .ownership import facts_of
from .pem_files import opened, why_closed
from .renewers import owners
from .scan_file import classified, is_named_like_one

MOST_ENTRIES, MOST_FOUND, DEEPEST, LONGEST = 100_000, 5000, 16, 60.0  # the last one in seconds
LARGEST_FILE = 256 * 1024
MOST_SHOWN = 3  # paths of what was left out
NEVER = ("/proc", "/sys", "/dev")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Record = t.Dict[str, t.Any]


def scan(store: str, directories: t.Sequence[str]) -> Record:
    """Return `files` (what holds a key, or a certificate that is no authority's) and `notes`: what was left out."""
    walk = _Walk(os.path.realpath(store))
    with warnings.catch_warnings():  # of what other people's certificates are like, and in the way of the answer
        warnings.simplefilter("ignore")
        for directory in directories:
            walk.below(directory)
    kept = _without_authorities(walk.files)
    for one in kept:
        if one.get("public_id") and not one["managed"]:
            path = one["path"]
            one["findings"] = [pack(finding) for finding in owners(Adopt(path, path), [one["real"]])]
    return {"files": [{key: one[key] for key in one if key != "credential"} for one in kept], "notes": walk.notes()}


class _Walk:
    """One walk through several directories, under the same bounds."""

    def __init__(self, store: str) -> None:
        self.store, self.files, self.left = store, t.cast("list[Record]", []), MOST_ENTRIES
        self.until = time.monotonic() + LONGEST
        self.closed, self.large = t.cast("list[str]", []), t.cast("list[str]", [])
        self.missing: list[str] = []
        self.hit: set[str] = set()
        self.seen: set[str] = set()

    def below(self, directory: str) -> None:
        """Look at everything below a directory."""
        try:
            descriptor = os.open(os.path.realpath(directory), _DIRECTORY)
        except OSError as error:
            self.missing.append(f"{directory} cannot be read ({error.strerror})")
            return
        self._enter(descriptor, directory.rstrip("/"), 0)

    def _enter(self, descriptor: int, path: str, depth: int) -> None:
        try:
            with os.scandir(descriptor) as entries:
                names = sorted(entry.name for entry in entries)
            for name in names:
                if not self._may_go_on():
                    return
                self._one(descriptor, name, f"{path}/{name}", depth)
        except OSError:
            self.closed.append(path)
        finally:
            os.close(descriptor)

    def _may_go_on(self) -> bool:
        self.left -= 1
        if self.left < 0:
            self.hit.add(f"it ended after {MOST_ENTRIES} entries")
        if len(self.files) >= MOST_FOUND:
            self.hit.add(f"it ended after {MOST_FOUND} files with keys or certificates")
        if time.monotonic() > self.until:
            self.hit.add(f"it ended after {LONGEST:g} seconds")
        return not any(note.startswith("it ended") for note in self.hit)

    def _one(self, parent: int, name: str, path: str, depth: int) -> None:
        try:
            there = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(there.st_mode):
                self._directory(parent, name, path, depth)
            elif stat.S_ISREG(there.st_mode) or stat.S_ISLNK(there.st_mode):
                self._file(path)
        except OSError:
            self.closed.append(path)

    def _directory(self, parent: int, name: str, path: str, depth: int) -> None:
        if path in NEVER:
            return
        if depth >= DEEPEST:
            self.hit.add(f"nothing deeper than {DEEPEST} directories was looked at")
            return
        self._enter(os.open(name, _DIRECTORY, dir_fd=parent), path, depth + 1)

    def _file(self, path: str) -> None:
        real = os.path.realpath(path)
        descriptor = None if path in self.seen else opened(real)
        if descriptor is None:
            return
        self.seen.add(path)
        try:
            there = os.fstat(descriptor)
            if there.st_size > LARGEST_FILE:
                self.large += [path] if is_named_like_one(path) else []
                return
            found = classified(path, os.read(descriptor, LARGEST_FILE))
        finally:
            os.close(descriptor)
        if found is not None:
            managed = real.startswith(f"{self.store}/")
            way = {"closed": "" if managed else why_closed(path)[:LONGEST_TEXT]}
            self.files.append({"path": path, "real": real, "managed": managed, **way, **facts_of(there), **found})

    def notes(self) -> list[str]:
        """Return what was left out, in sentences."""
        left = ((self.large, f"files are larger than {LARGEST_FILE} bytes"),
                (self.closed, "directories or files cannot be read"))  # fmt: skip
        counted = [f"{len(paths)} {why}: {_first(paths)}" for paths, why in left if paths]
        return [*sorted(self.hit), *self.missing, *counted]


def _first(paths: t.Sequence[str]) -> str:
    """Return the first of some paths on one line; what is not printable is escaped."""
    shown = [path if path.isprintable() else ascii(path) for path in (one[:255] for one in paths[:MOST_SHOWN])]
    return ", ".join([*shown, *(["..."] if len(paths) > MOST_SHOWN else [])])


def _without_authorities(files: t.Sequence[Record]) -> list[Record]:
    """Leave out certificates of authorities, but for those whose key is there, and for signers of what was found."""
    keys = {one["public_id"] for one in files if one.get("public_id")}

    def stays(one: Record) -> bool:
        credential = one.get("credential")
        return one["kind"] != "certificate" or credential is None or not credential.facts.is_ca

    leaves = [one["credential"] for one in files if stays(one) and one.get("credential")]
    signers = {credential.facts.issuer for credential in leaves}
    return [
        one
        for one in files
        if stays(one) or one["credential"].public_id in keys or one["credential"].facts.subject_name in signers
    ]
