# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""One process at a time, without a file that stays behind."""

from __future__ import annotations

import contextlib
import os
import typing as t

from .._core.errors import Unavailable
from .os_errors import path_of, said
from .safe_files import facts, require_regular

_LOCK = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PATIENCE = 10.0  # seconds, for a lock that is held for some milliseconds


@contextlib.contextmanager
def locked(dir_fd: int, name: str, patience: float = _PATIENCE) -> t.Iterator[int]:
    """Hold a file, made empty and 0600 when it is missing, for ourselves; yield its descriptor.

    The file itself is locked (flock), not its directory: anybody who may read a directory could lock it for ever.
    The holder may replace or remove the file; who waited then looks again.
    """
    with said(name, dir_fd):
        fd = _patiently_locked(dir_fd, name, patience)
        try:
            yield fd
        finally:
            os.close(fd)


def _patiently_locked(dir_fd: int, name: str, patience: float) -> int:
    import time

    until = time.monotonic() + patience
    while time.monotonic() < until:
        fd = _locked_now(dir_fd, name)
        if fd is not None:
            return fd
        time.sleep(0.002)
    raise Unavailable(f"host: {path_of(name, dir_fd)} is locked by another process; end it or run again later")


def _locked_now(dir_fd: int, name: str) -> int | None:
    """Return the locked descriptor; None when somebody else has it, or replaced the file before we had it."""
    import fcntl

    fd = os.open(name, _LOCK, 0o600, dir_fd=dir_fd)
    ours = False
    try:
        require_regular(fd, name, dir_fd)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there = facts(dir_fd, name)
        ours = there is not None and os.path.samestat(there, os.fstat(fd))
    except BlockingIOError:
        pass
    finally:
        if not ours:
            os.close(fd)
    return fd if ours else None
