# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One process of this user at a time rotates a key: several hosts of a play may declare the same one."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Pending
from ...module_utils._pkcs11.alone import own_directory

PATIENCE = 120.0  # seconds
_PAUSE = 0.1
_NAME = ".keystead-rotate.lock"  # one for all keys, of which each has a byte: it stays there
_FILE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_BYTES = 2**31


@contextlib.contextmanager
def alone(what: str) -> t.Iterator[None]:
    """Be the only one who rotates something; raises Pending where another process does for too long."""
    directory = own_directory()
    if directory is None:
        yield
        return
    place = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big") % _BYTES
    descriptor = os.open(Path(directory, _NAME), _FILE, 0o600)
    try:
        _wait(descriptor, place)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, place: int) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):  # POSIX allows either
            if time.monotonic() > until:
                raise Pending("key_rotate: another run rotates the same key; run again later") from None
            time.sleep(_PAUSE)
        else:
            return
