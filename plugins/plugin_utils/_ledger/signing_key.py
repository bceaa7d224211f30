# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The key by which this user on this controller signs a journal: made once, in the state directory."""

from __future__ import annotations

import os
import typing as t

from ...module_utils._core.errors import Misconfigured

if t.TYPE_CHECKING:
    from pathlib import Path

NAME = "journal.key"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def signing_key(directory: Path, *, make: bool) -> t.Any:
    """Return the Ed25519 key of a directory, made where there is none. Raises Misconfigured."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = directory / NAME
    try:
        if make and not path.exists():
            _make(path)
        descriptor = os.open(path, _READ)
        try:
            about = os.fstat(descriptor)
            content = os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
        if about.st_uid != os.geteuid() or about.st_mode & 0o077:
            raise Misconfigured(f"ledger: {path} is not this user's alone; find out why, and move it away")
        return load_pem_private_key(content, None)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no key"
        raise Misconfigured(f"ledger: {path}, which signs a journal, cannot be used ({why}); put it right") from None


def _make(path: Path) -> None:
    """Make a key under a name of this process, and give it its own name unless somebody was quicker."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
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
