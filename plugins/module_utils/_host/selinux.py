# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The SELinux type that lets a confined service read certificates and keys, without libselinux."""

from __future__ import annotations

import errno
import os

TYPE = "cert_t"
_SWITCH = "/sys/fs/selinux/enforce"
_ATTRIBUTE = "security.selinux"
_UNLABELLED = (errno.ENODATA, errno.ENOTSUP)
_CANNOT_BE_LABELLED = (errno.ENOTSUP, errno.EINVAL)  # the file system keeps no labels, or the policy lacks the type


def enabled() -> bool:
    """Say whether this kernel judges by SELinux, enforcing or permissive."""
    return os.path.exists(_SWITCH)


def type_of(place: int | str) -> str | None:
    """Return the type of a descriptor or path (a link itself); None without SELinux or label. Raise OSError."""
    context = _context(place)
    return context[2] if context else None


def is_right(dir_fd: int, name: str) -> bool:
    """Say whether a name in an open directory has the type TYPE, or cannot have one. Raise OSError."""
    return type_of(f"/proc/self/fd/{dir_fd}/{name}") in (TYPE, None)


def restore_type(place: int | str) -> None:
    """Give a descriptor or path the type TYPE and leave user, role and range as they are. Raise OSError."""
    context = _context(place)
    if context is None or context[2] == TYPE:
        return
    context[2] = TYPE
    try:
        os.setxattr(place, _ATTRIBUTE, ":".join(context).encode() + b"\0", follow_symlinks=isinstance(place, int))
    except OSError as error:
        if error.errno not in _CANNOT_BE_LABELLED:
            raise


def _context(place: int | str) -> list[str] | None:
    """Return user, role, type and, where the policy has one, range; None where nothing is labelled."""
    if not enabled():
        return None
    try:
        raw = os.getxattr(place, _ATTRIBUTE, follow_symlinks=isinstance(place, int))
    except OSError as error:
        if error.errno in _UNLABELLED:
            return None
        raise
    fields = raw.rstrip(b"\0").decode("utf-8", "replace").split(":", 3)
    return fields if len(fields) >= 3 else None
