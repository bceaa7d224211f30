# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Directories that nobody else can change under our feet: rule W2 of docs/design.md."""

from __future__ import annotations

import os
import stat

from .._core.errors import Misconfigured
from . import selinux
from .os_errors import path_of, said
from .ownership import changed_by_us_alone, user_name
from .safe_files import sync_directory

_FLAGS = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | _FLAGS  # O_PATH: passing through needs no right to list
_OPEN = os.O_RDONLY | _FLAGS


def open_directory(path: str, *, create_mode: int | None = None) -> int:
    """Open an absolute path for reading; no component may be a link or be written by anybody else.

    `changed_by_us_alone` is the rule for each of them. ACLs are not read: their mask stands in the group's bits, so one
    that lets somebody write is refused like a group that may, but not under our private group.

    With `create_mode` what is missing is made, and synced into its parent; without, it is Misconfigured.
    """
    fd = find_directory(path, create_mode=create_mode)
    if fd is None:
        raise Misconfigured(f"host: {path} does not exist; create this directory or write another path")
    return fd


def find_directory(path: str, *, create_mode: int | None = None) -> int | None:
    """Do as open_directory does, but return None for a path that does not exist."""
    names = _components(path)
    with said("/"):
        here: int | None = _judged(os.open("/", _PASS if names else _OPEN))
    while names and here is not None:
        above, name = here, names.pop(0)
        try:
            here = _enter(above, name, _PASS if names else _OPEN, create_mode)
        finally:
            os.close(above)
    return here


def open_subdirectory(parent_fd: int, name: str, *, create_mode: int | None = None) -> int | None:
    """Open one directory in an open one under the same rules; None when it is missing and not to be created."""
    return _enter(parent_fd, name, _OPEN, create_mode)


def _components(path: str) -> list[str]:
    names = [name for name in path.split("/") if name]
    if not path.startswith("/") or "\0" in path or {".", ".."} & set(names):
        raise Misconfigured(f"host: {path!r} is not an absolute path without . and ..; write the whole path from /")
    return names


def _enter(parent_fd: int, name: str, flags: int, create_mode: int | None) -> int | None:
    with said(name, parent_fd):
        fd = _open(parent_fd, name, flags)
        if fd is None and create_mode is not None:
            _make(parent_fd, name, create_mode)
            fd = _open(parent_fd, name, flags)
        return None if fd is None else _judged(fd)


def _open(parent_fd: int, name: str, flags: int) -> int | None:
    """Return None for a missing directory, and name the real path where a link stands in its place."""
    try:
        return os.open(name, flags, dir_fd=parent_fd)
    except FileNotFoundError:
        return None
    except NotADirectoryError:  # what O_NOFOLLOW says of a link when it is asked for a directory
        if not stat.S_ISLNK(os.stat(name, dir_fd=parent_fd, follow_symlinks=False).st_mode):
            raise
        path = path_of(name, parent_fd)
        real = os.path.realpath(path)
        raise Misconfigured(f"host: {path} is a symbolic link; write the real path, {real}, instead") from None


def _make(parent_fd: int, name: str, mode: int) -> None:
    """Make a directory with exactly `mode` at once: a mode that is put right later would not be, after a kill.

    The umask is the process's: no thread may create files meanwhile.
    """
    before = os.umask(0)
    try:
        os.mkdir(name, mode, dir_fd=parent_fd)
    except FileExistsError:  # another run was faster
        return
    finally:
        os.umask(before)
    _settle(parent_fd, name)
    _settle(parent_fd, ".")


def _settle(parent_fd: int, name: str) -> None:
    fd = os.open(name, _OPEN, dir_fd=parent_fd)
    try:
        if name != ".":
            selinux.restore_type(fd)
        sync_directory(fd)
    finally:
        os.close(fd)


def _judged(fd: int) -> int:
    """Return a descriptor that nobody else can change; close any other and say why."""
    info = os.fstat(fd)
    if changed_by_us_alone(info):
        return fd
    path = path_of(".", fd)
    os.close(fd)
    raise Misconfigured(
        f"host: {path} may be written by others (mode {stat.S_IMODE(info.st_mode):04o}, owner "
        f"{user_name(info.st_uid)}), who could replace what stands below it; {_remedy(info, path)}"
    )


def _remedy(info: os.stat_result, path: str) -> str:
    if info.st_uid in (0, os.geteuid()):
        return f"chmod go-w {path}, or choose another place"
    return f"chown {user_name(os.geteuid())} {path} and chmod go-w {path}, or choose another place"
