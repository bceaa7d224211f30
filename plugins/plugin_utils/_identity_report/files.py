# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The files of a report: all of them or none, each whole, written in every run, for its moment is a part of each."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
import tempfile
import time
import typing as t

from ...module_utils._core.errors import Misconfigured, first_line
from ...module_utils._host.safe_files import write_all
from .._durable import sync_names

if t.TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence
    from pathlib import Path

WHO = "identity_report"
MODE = 0o644
LARGEST = 1 << 30
STALE = 3600
"""Seconds after which nobody can be writing a file any more that is not in its place."""
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class File(t.NamedTuple):
    """A file, the option that names it, and its content; `moment` matches what in that says when it was made."""

    option: str
    path: Path
    content: bytes
    moment: re.Pattern[bytes] | None = None


def check(files: Sequence[File]) -> None:
    """Raise Misconfigured where a file cannot be written, as far as that shows without writing it."""
    taken: dict[str, File] = {}
    for one in files:
        with _writing(one.path):
            other = taken.setdefault(os.path.realpath(one.path), one)
            _check(one.path)
        if other is not one:
            both = f"options {other.option} and {one.option} both write {one.path}"
            raise Misconfigured(f"{WHO}: {both}; write another path")


def _check(path: Path) -> None:
    """Look at what is there, and whether a file without a name can be made in the nearest directory."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise Misconfigured(f"{WHO}: {path} is no regular file; write the path of one, or of none")
    directory = next(one for one in path.absolute().parents if os.path.lexists(one))
    tempfile.TemporaryFile(dir=directory).close()


def differs(file: File) -> bool:
    """Tell whether a file is not there, or says anything else than what is to stand in it, but for its moment."""
    try:
        found = file.path.read_bytes() if file.path.stat().st_size <= LARGEST else b""
    except OSError:
        return True
    return _timeless(found, file) != _timeless(file.content, file)


def _timeless(content: bytes, file: File) -> bytes:
    return content if file.moment is None else file.moment.sub(b"", content, count=1)


def put(files: Sequence[File]) -> None:
    """Put files in place when all are written: whoever reads one sees the old or the new one. Raises Misconfigured."""
    staged: list[Path] = []
    try:
        for one in files:
            with _writing(one.path):
                one.path.parent.mkdir(parents=True, exist_ok=True)
                staged.append(_staged(one.path))
                _stage(staged[-1], one.content)
        for waiting, one in zip(staged, files, strict=True):
            with _writing(one.path):
                waiting.rename(one.path)
    finally:
        for waiting in staged:
            waiting.unlink(missing_ok=True)
    for directory in {one.path.parent for one in files}:
        with _writing(directory):
            sync_names(directory)


def _staged(path: Path) -> Path:
    """Return where a file waits, by a name that collectors of metrics pass over; take away what a killed run left."""
    mark = f".keystead-{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}-"
    for left in path.parent.glob(f"{mark}*"):
        with contextlib.suppress(FileNotFoundError):
            if left.lstat().st_mtime < time.time() - STALE:
                left.unlink()
    return path.with_name(mark + secrets.token_hex(6))


def _stage(path: Path, content: bytes) -> None:
    descriptor = os.open(path, _CREATE, 0o600)
    try:
        write_all(descriptor, content)
        os.fchmod(descriptor, MODE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # a path with a NUL in it is a wrong value
        why = getattr(error, "strerror", None) or first_line(error)
        remedy = "let this user do that, or write another path"
        raise Misconfigured(f"{WHO}: {path} cannot be written ({why}); {remedy}") from None
