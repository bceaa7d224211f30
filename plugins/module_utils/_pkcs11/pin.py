# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The user PIN, from where the task says that it is: the option, an environment variable or a file beside the token."""

from __future__ import annotations

import os
import stat
import typing as t

from .._core.errors import Misconfigured

if t.TYPE_CHECKING:
    from .._core.key import Token

_LONGEST = 4096


def pin(wanted: Token) -> str | None:
    """Return the PIN; None where the task names none. Raises Misconfigured where it names one that is not there."""
    given = [name for name in ("pin", "pin_env", "pin_file") if getattr(wanted, name)]
    if len(given) > 1:
        raise Misconfigured(f"pkcs11: {' and '.join(given)} are set; a token is opened by one of them")
    if wanted.pin_env:
        return _from_environment(wanted.pin_env)
    return _from_file(wanted.pin_file) if wanted.pin_file else wanted.pin or None


def source(wanted: Token) -> str:
    """Return which option the PIN comes from, without the PIN."""
    if wanted.pin_file:
        return f"pin_file {wanted.pin_file}"
    return f"pin_env {wanted.pin_env}" if wanted.pin_env else "pin"


def _from_environment(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise Misconfigured(
            f"pkcs11: pin_env {name} is not set, or is empty, where the token is; set it, or use pin_file"
        )
    return value


def _from_file(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise Misconfigured(f"pkcs11: pin_file {path} cannot be read where the token is: {reason}") from None
    try:
        _check(path, os.fstat(descriptor))
        content = os.read(descriptor, _LONGEST)
    finally:
        os.close(descriptor)
    line = content.splitlines()[0] if content.strip() else b""
    try:
        found = line.decode()
    except UnicodeDecodeError:
        raise Misconfigured(f"pkcs11: pin_file {path} is not text in UTF-8") from None
    if not found:
        raise Misconfigured(f"pkcs11: pin_file {path} has no PIN in its first line; write it there")
    return found


def _check(path: str, found: os.stat_result) -> None:
    """Refuse a file that others may read, or change."""
    if not stat.S_ISREG(found.st_mode):
        raise Misconfigured(f"pkcs11: pin_file {path} is not a regular file")
    if found.st_uid not in (0, os.geteuid()):
        raise Misconfigured(
            f"pkcs11: pin_file {path} belongs to another user ({found.st_uid}); make it yours, or root's"
        )
    if found.st_mode & 0o027:
        mode = stat.S_IMODE(found.st_mode)
        raise Misconfigured(
            f"pkcs11: pin_file {path} may be read or changed by others ({mode:04o}); set mode 0600 or 0640"
        )
