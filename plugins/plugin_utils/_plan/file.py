# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The file of a plan on the controller: whole or not there, for everybody to read, and one task's alone."""

from __future__ import annotations

import os
import secrets
import stat
import typing as t

from ...module_utils._core.errors import Misconfigured, first_line
from ...module_utils._host.safe_files import write_all
from .._durable import sync_names

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODE = 0o644
LARGEST = 64 * 1024 * 1024
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none. Raises Misconfigured."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path, "read", error) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Misconfigured(f"{path} is no regular file; write the path of one")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST)
    except OSError as error:
        raise _refused(path, "read", error) from None
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes, check: Callable[[bytes], None]) -> None:
    """Put a file in place whole; `check` raises where what another process put there may not be replaced.

    Of two that write a new file at the same time, one finds the other's. Raises Misconfigured.
    """
    staged = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _stage(staged, content)
        try:
            try:
                os.link(staged, path, follow_symlinks=False)
            except FileExistsError:
                check(read(path) or b"")
                staged.rename(path)
        finally:
            staged.unlink(missing_ok=True)
        sync_names(path.parent)
    except OSError as error:
        raise _refused(path, "write", error) from None


def _stage(path: Path, content: bytes) -> None:
    descriptor = os.open(path, _CREATE, 0o600)
    try:
        write_all(descriptor, content)
        os.fchmod(descriptor, MODE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refused(path: Path, verb: str, error: OSError) -> Misconfigured:
    why = error.strerror or first_line(error)
    return Misconfigured(f"cannot {verb} {path} ({why}); let this user do that, or write another path")
