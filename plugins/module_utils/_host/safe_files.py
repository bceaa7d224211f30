# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Files that are whole or not there, by descriptors only: rule W1 of docs/design.md.

A name is one component in the directory `dir_fd`, validated by the caller. Nothing that exists is changed before the
rename that replaces it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

from .._core.errors import Misconfigured
from . import selinux
from .durability import sync
from .os_errors import explained, path_of, said

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a FIFO must not hold us
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def sync_directory(dir_fd: int) -> None:
    """Make what was created, renamed or removed in a directory survive a power failure."""
    with said(".", dir_fd):
        sync(dir_fd)


def write_file(  # noqa: PLR0913 - what a file is
    dir_fd: int, name: str, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, temporary: str | None = None
) -> None:
    """Put a file in place of `name`, whole, with `mode` whatever the umask, and owner and group unless they are -1.

    Where others have files, the caller names a `temporary` that nobody else has.
    """
    temporary = temporary or name_of_new(name)
    with said(name, dir_fd):
        _create(dir_fd, temporary, content, os.fsync, mode=mode, uid=uid, gid=gid)
        _put_in_place(dir_fd, temporary, name)


def create_file(  # noqa: PLR0913 - what a file is
    dir_fd: int, name: str, content: bytes, *, mode: int, uid: int = -1, gid: int = -1
) -> None:
    """Make a file where nobody reads yet: under its own name, in the place of what a killed run left.

    It is published by a rename of its directory, and synced before that.
    """
    with said(name, dir_fd):
        _create(dir_fd, name, content, sync, mode=mode, uid=uid, gid=gid)
        sync(dir_fd)


def _create(  # noqa: PLR0913 - what a file is
    dir_fd: int, name: str, content: bytes, settle: t.Callable[[int], None], *, mode: int, uid: int, gid: int
) -> None:
    """Owner, mode and label come before content: nobody else can have opened the file by then."""
    fd = _replacing(dir_fd, name, lambda: os.open(name, _CREATE, 0o600, dir_fd=dir_fd))
    try:
        if (uid, gid) != (-1, -1):
            os.fchown(fd, uid, gid)
        os.fchmod(fd, mode)
        selinux.restore_type(fd)
        write_all(fd, content)
        settle(fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=dir_fd)
        raise
    finally:
        os.close(fd)


def _put_in_place(dir_fd: int, temporary: str, name: str) -> None:
    """Rename `temporary` over `name` and make that durable; where it cannot be, nothing temporary stays."""
    try:
        os.rename(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=dir_fd)
        raise
    sync(dir_fd)


def name_of_new(name: str) -> str:
    """Return a name that the next run finds again, so that what a killed run left is replaced."""
    return f".{name}.new"


def name_of_ours(name: str) -> str:
    """Return such a name for a directory in which others have files: nobody else has one of it."""
    return f".{name[:200]}.keystead-new"


_T = t.TypeVar("_T")


def _replacing(dir_fd: int, name: str, create: t.Callable[[], _T]) -> _T:
    """Create something, after removing what a killed run left under its name."""
    try:
        return create()
    except FileExistsError:
        os.unlink(name, dir_fd=dir_fd)
        return create()


def write_all(fd: int, content: bytes) -> None:
    """Write on after short writes. Raise OSError."""
    rest = memoryview(content)
    while rest:
        written = os.write(fd, rest)
        if not written:
            raise OSError(errno.EIO, "nothing was written")
        rest = rest[written:]


class Read(t.NamedTuple):
    """A regular file: what it holds, and what fstat says of it."""

    content: bytes
    facts: os.stat_result


def read_file(dir_fd: int, name: str, limit: int = 1 << 20) -> bytes | None:
    """Return the content of a regular file of at most `limit` bytes; None when it is missing."""
    found = read_with_facts(dir_fd, name, limit)
    return found and found.content


def read_with_facts(dir_fd: int, name: str, limit: int = 1 << 20) -> Read | None:
    """Return a regular file of at most `limit` bytes; None when it is missing."""
    try:
        fd = os.open(name, _READ, dir_fd=dir_fd)
        try:
            found = require_regular(fd, name, dir_fd)
            content = os.read(fd, min(found.st_size, limit) + 1)
            if len(content) != found.st_size:
                content = _read_on(fd, content, limit)
        finally:
            os.close(fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explained(error, path_of(name, dir_fd)) from error
    if len(content) > limit:
        raise Misconfigured(f"host: {path_of(name, dir_fd)} is larger than {limit} bytes; put the right file there")
    return Read(content, found)


def require_regular(fd: int, name: str, dir_fd: int) -> os.stat_result:
    """Return what fstat says; refuse a descriptor of a FIFO, device or directory."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise Misconfigured(f"host: {path_of(name, dir_fd)} is not a regular file; move it away")
    return found


def _read_on(fd: int, content: bytes, limit: int) -> bytes:
    """Read a file that is not as long as it was said to be, to its end or to one byte beyond `limit`."""
    while len(content) <= limit and (more := os.read(fd, limit + 1 - len(content))):
        content += more
    return content


def replace_link(dir_fd: int, name: str, target: str, temporary: str | None = None) -> None:
    """Put a symbolic link to `target` in place of `name` by one rename. What the name held is the caller's care."""
    temporary = temporary or name_of_new(name)
    with said(name, dir_fd):
        _replacing(dir_fd, temporary, lambda: os.symlink(target, temporary, dir_fd=dir_fd))
        _put_in_place(dir_fd, temporary, name)


def read_link(dir_fd: int, name: str) -> str | None:
    """Return the target of a symbolic link; None when it is missing or something else."""
    with said(name, dir_fd):
        try:
            return os.readlink(name, dir_fd=dir_fd)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.EINVAL:
                return None
            raise


def facts(dir_fd: int, name: str) -> os.stat_result | None:
    """Return what lstat says of a name; None when it is missing."""
    with said(name, dir_fd):
        try:
            return os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        except FileNotFoundError:
            return None


def rename(dir_fd: int, old: str, new: str) -> None:
    """Rename within a directory, durably; a file or an empty directory of the new name is replaced."""
    with said(old, dir_fd):
        os.rename(old, new, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        sync(dir_fd)


def remove(dir_fd: int, name: str) -> None:
    """Remove a file or link, durably; a missing one is fine. Nothing is overwritten: no disk today would promise it."""
    with said(name, dir_fd):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=dir_fd)
        sync(dir_fd)


def remove_tree(dir_fd: int, name: str) -> None:
    """Remove a file, link or whole directory, durably, and follow no link; a missing one is fine."""
    with said(name, dir_fd):
        with contextlib.suppress(FileNotFoundError):
            _remove(dir_fd, name)
        sync(dir_fd)


def _remove(dir_fd: int, name: str) -> None:
    try:
        fd = os.open(name, _DIRECTORY, dir_fd=dir_fd)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        os.unlink(name, dir_fd=dir_fd)
        return
    try:
        for entry in os.listdir(fd):
            _remove(fd, entry)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=dir_fd)
