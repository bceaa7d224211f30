# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""One login try a token and run: a TPM locks after three, says nothing of them before, and every try is counted.

A process remembers by itself. Where one run has many processes, as on a controller, they share a directory; on a host,
the controller says what was refused there, and nothing is kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import typing as t

from .._core.errors import Denied, Misconfigured

_FINAL_TRY, _LOCKED = 0x20000, 0x40000  # CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED (PKCS#11 2.40, 3.2)
_REFUSED = b"refused"
_shared: list[str] = []
_refused: set[str] = set()


def share(directory: str) -> None:
    """Name a directory of this run, which only its user may write: what one process learns there, all know."""
    _shared[:] = [directory]


def recall(refused: t.Iterable[str]) -> None:
    """Take what earlier executions of this run learned where the token is: `token` and `source` of refused PINs."""
    _refused.clear()
    _refused.update(refused)


def forget() -> None:
    """Know of no refused PIN and of nobody to share with, as a new process does."""
    _shared.clear()
    _refused.clear()


def check(name: str, flags: int, secret: str | None) -> None:
    """Refuse a login that cannot succeed, or that would lock the token if it did not. `flags` are the token's own."""
    if not secret:
        raise Misconfigured(f"pkcs11: {name} needs its user PIN; set pin_file, pin_env or pin")
    if flags & _LOCKED:
        raise Denied(f"pkcs11: {name} has locked its PIN; unlock it as its security officer before you run again")
    if flags & _FINAL_TRY:
        raise Denied(
            f"pkcs11: {name} would lock its PIN if one more login failed, so none is tried; log in once with the right "
            "PIN, with pkcs11-tool --login for example, and run again"
        )


@contextlib.contextmanager
def one_try(token: str, name: str, secret_from: str) -> t.Iterator[None]:
    """Let one login be tried; where it raises Denied, no other process of this run tries again.

    `token` says which one it is, `name` is what it is called in a sentence. Raises Denied where it was refused before.
    """
    tried = f"{token} {secret_from}"
    if tried in _refused:
        raise _again(name, secret_from)
    try:
        with _alone(token, name, secret_from):
            yield
    except Denied as error:
        error.refused = tried
        raise


@contextlib.contextmanager
def _alone(token: str, name: str, secret_from: str) -> t.Iterator[None]:
    """Be the one process of this run that tries, where the processes of a run share what they learn."""
    if not _shared:
        yield
        return
    path = os.path.join(_shared[0], "pkcs11-" + hashlib.sha256(token.encode()).hexdigest())
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.read(descriptor, len(_REFUSED)):
            raise _again(name, secret_from)
        try:
            yield
        except Denied:
            os.write(descriptor, _REFUSED)
            raise
    finally:
        os.close(descriptor)


def _again(name: str, secret_from: str) -> Denied:
    return Denied(
        f"pkcs11: {name} refused its PIN (from {secret_from}) earlier in this run, and it is not tried again lest it "
        "locks; correct the PIN, and run again"
    )
