# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys in files by which this user on this controller signs: made once, and nobody else's."""

from __future__ import annotations

import os
import typing as t

from ...module_utils._core.errors import Misconfigured
from .._durable import check_can_hold

if t.TYPE_CHECKING:
    from pathlib import Path

NAME = "journal.key"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
LARGEST = 64 * 1024
"""Bytes of a key: RSA with 4096 bits has 3,300."""


def signing_key(directory: Path, *, make: bool) -> t.Any:
    """Return the Ed25519 key of a directory, made where there is none. Raises Misconfigured."""
    return key_at(directory / NAME, "ledger", make=make)


def key_at(path: Path, who: str, *, make: bool, passphrase: bytes | None = None) -> t.Any:
    """Return the key in a file that is this user's alone, an Ed25519 key that is made where there is none.

    `who` speaks. Raises Misconfigured.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if make and not path.exists():
            _make(path, passphrase)
        descriptor = os.open(path, _READ)
        try:
            about = os.fstat(descriptor)
            content = os.read(descriptor, LARGEST)
        finally:
            os.close(descriptor)
        if about.st_uid != os.geteuid() or about.st_mode & 0o077:
            raise Misconfigured(f"{who}: {path} is not this user's alone; find out why, and move it away")
        return load_pem_private_key(content, passphrase)
    except (OSError, ValueError, TypeError) as error:
        raise _unusable(path, error, who) from None


def check_can_be_made(path: Path, who: str) -> None:
    """Raise Misconfigured where `key_at` could not make a key."""
    try:
        check_can_hold(path.parent)
    except OSError as error:
        raise _unusable(path, error, who) from None


def _unusable(path: Path, error: Exception, who: str) -> Misconfigured:
    why = getattr(error, "strerror", None) or "it is no key that can be opened so"
    return Misconfigured(f"{who}: {path}, which is to sign, cannot be used ({why}); put it right")


def _make(path: Path, passphrase: bytes | None) -> None:
    """Make a key under a name of this process, and give it its own name unless somebody was quicker."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    closed = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closed)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.unlink(missing_ok=True)
    descriptor = os.open(staged, _CREATE, 0o600)
    try:
        os.write(descriptor, made)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(staged, path)
    except FileExistsError:
        pass
    finally:
        staged.unlink()
