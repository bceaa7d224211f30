# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Files of an authority: every one is written beside its place, synced, renamed, and its directory synced."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._host.ownership import changed_by_us_alone
from ...module_utils._host.safe_files import write_all
from .._durable import sync_names

if t.TYPE_CHECKING:
    from pathlib import Path

PUBLIC = 0o644
PRIVATE = 0o600
_CHUNK = 1024 * 1024
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Replace one file whole and make it durable. Names that several processes may write need `locked` around it."""
    put(path, content, mode)
    sync(path.parent)


def put(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Do what `write` does but leave the directory to the caller, who may have more files for it."""
    put_all({path: content}, mode)


def put_all(contents: t.Mapping[Path, bytes], mode: int = PUBLIC) -> None:
    """Do what `put` does for many files: none gets its name before all of them are on the disk.

    They are synced one after the other when all are written, for a file system commits for them together (ADR 9).
    """
    descriptors: dict[Path, int] = {}
    try:
        for path, content in contents.items():
            with speaking("write", path):
                _staged(path).unlink(missing_ok=True)
                descriptors[path] = os.open(_staged(path), _CREATE, PRIVATE)
                os.fchmod(descriptors[path], mode)
                write_all(descriptors[path], content)
        for path, descriptor in descriptors.items():
            with speaking("write", path):
                os.fsync(descriptor)
        for path in descriptors:
            with speaking("write", path):
                _staged(path).rename(path)
    except BaseException:
        for path in descriptors:
            _staged(path).unlink(missing_ok=True)
        raise
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)


def _staged(path: Path) -> Path:
    """Return where a file is written: beside its place."""
    return path.with_name(f".{path.name}.new")


def read(path: Path) -> bytes:
    """Return what a file holds."""
    with speaking("read", path):
        return _content(path)


def read_if_there(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none, or none any more since another run has moved it."""
    with speaking("read", path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return _content(path)
    return None


def _content(path: Path) -> bytes:
    """Read a regular file. A pipe, which would be waited for, and a device, which may have no end, are OSErrors."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return b"".join(iter(lambda: os.read(descriptor, _CHUNK), b""))
    finally:
        os.close(descriptor)


def entries(directory: Path, suffix: str) -> list[Path]:
    """Return the files of a directory with this suffix, in order; one that may not be listed is an error, not empty."""
    with speaking("list", directory):
        paths = sorted(directory.iterdir())
    return [path for path in paths if path.suffix == suffix and not path.name.startswith(".")]


def sync(directory: Path) -> None:
    """Make the names in a directory durable."""
    with speaking("sync", directory):
        sync_names(directory)


@contextlib.contextmanager
def locked(path: Path) -> t.Iterator[None]:
    """Hold an exclusive lock that ends with the process, whatever kills it."""
    with speaking("lock", path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def settled(path: Path) -> t.Iterator[None]:
    """Look while nobody holds this lock; where nobody ever did, there is no file, and none is made."""
    with speaking("lock", path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            descriptor = -1
    try:
        if descriptor >= 0:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


@contextlib.contextmanager
def speaking(verb: str, path: Path) -> t.Iterator[None]:
    """Turn the system's refusal into one sentence that names the path."""
    try:
        yield
    except OSError as error:
        raise Misconfigured(
            f"local: cannot {verb} {path}: {error.strerror}; let this user do that, or put right what stands there"
        ) from None


def refuse_shared(directory: Path) -> None:
    """Refuse a directory in which, or above which, somebody else could exchange what is in it."""
    with speaking("find", directory):
        place = directory.resolve()
        for step in (place, *place.parents):
            if step.exists() and not changed_by_us_alone(step.stat()):
                raise Misconfigured(
                    f"local: directory {directory} is not safe for an authority: others may write in {step}; "
                    "take that right away or choose another directory"
                )
