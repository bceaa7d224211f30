# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What the operating system refused, as errors that say what to do: the one place where OSError is translated."""

from __future__ import annotations

import contextlib
import errno
import os

from .._core.errors import KeysteadError, Misconfigured, Unavailable

_SET_UP_WRONGLY = {
    errno.EROFS: "the file system is read-only; remount it or choose another place",
    errno.ELOOP: "is a symbolic link where a file should be; remove it or choose another place",
    errno.ENOTDIR: "is in a place where a directory should be and is not; remove what is there or choose another place",
    errno.EISDIR: "is a directory where a file should be; move it away or choose another place",
    errno.ENOTEMPTY: "is a directory that is not empty; move it away or choose another place",
    errno.EEXIST: "is there already; move it away or choose another place",
    errno.ENOENT: "does not exist, or vanished while it was used; run again",
    errno.ENAMETOOLONG: "the name is too long for the file system; choose a shorter one",
}
_NOT_NOW = {
    errno.ENOSPC: "no space left on the file system; free some and run again",
    errno.EDQUOT: "the disk quota is used up; free some space or raise it, and run again",
    errno.EIO: "the disk answers with an input/output error; look at the kernel's log, then run again",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n) and run again",
    errno.ENFILE: "too many files are open on this host; run again later",
}


def path_of(name: str, dir_fd: int | None = None) -> str:
    """Return the path of a name in an open directory, for messages only; the bare name where there is no /proc."""
    with contextlib.suppress(OSError):
        return os.path.normpath(os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), name))
    return name


def explained(error: OSError, path: str) -> KeysteadError:
    """Turn an error of the operating system into one that says what to do about `path`."""
    if error.errno in (errno.EACCES, errno.EPERM):
        from .ownership import user_name

        who = user_name(os.geteuid())
        return Misconfigured(
            f"host: {path}: permission denied for user {who}; use become: true, or choose another store, owner or path"
        )
    code = error.errno or 0
    if code in _SET_UP_WRONGLY:
        return Misconfigured(f"host: {path}: {_SET_UP_WRONGLY[code]}")
    return Unavailable(f"host: {path}: {_NOT_NOW.get(code) or f'{os.strerror(code)}; put that right and run again'}")


class said:  # noqa: N801 - `with said(path):` reads as it works; a generator would cost three times as much
    """Turn an OSError about a path, or a name in an open directory, into Misconfigured or Unavailable."""

    __slots__ = ("_dir_fd", "_name")

    def __init__(self, name: str, dir_fd: int | None = None) -> None:
        self._name, self._dir_fd = name, dir_fd

    def __enter__(self) -> None:
        return

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise explained(error, path_of(self._name, self._dir_fd)) from error
