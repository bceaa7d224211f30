# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""One process of this machine and user at a time makes keys in tokens: SoftHSM loses halves of those made at once.

It is no more than that: who makes a key reads it back.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t

from .._core.errors import Pending

if t.TYPE_CHECKING:
    from .token import OpenToken

PATIENCE = 60.0  # seconds; a TPM takes some for a key of RSA
_PAUSE = 0.05
_NAME = ".keystead-pkcs11.lock"  # one for all tokens: it stays there
_FILE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextlib.contextmanager
def alone(token: OpenToken) -> t.Iterator[None]:
    """Be the only one who makes keys in tokens; raises Pending where another process does for too long."""
    directory = own_directory()
    if directory is None:
        yield
        return
    descriptor = os.open(os.path.join(directory, _NAME), _FILE, 0o600)
    try:
        _wait(descriptor, token.name)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # also for a child that was forked meanwhile
        os.close(descriptor)


def _wait(descriptor: int, name: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise Pending(f"pkcs11: {name} waits for another run that makes keys; run again later") from None
            time.sleep(_PAUSE)
        else:
            return


def own_directory() -> str | None:
    """Return a directory that nobody else may write: another's file, or lock, would stop us."""
    user = os.geteuid()
    runtime = "/run" if user == 0 else os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}"
    for path in (runtime, os.path.expanduser("~")):
        try:
            found = os.stat(path)
        except OSError:
            continue
        if found.st_uid == user and not found.st_mode & 0o022 and os.access(path, os.W_OK | os.X_OK):
            return path
    return None
