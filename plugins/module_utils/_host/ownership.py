# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Users and groups of files, by name or number."""

from __future__ import annotations

import functools
import typing as t

from .._core.errors import Misconfigured

_HIGHEST = 2**32 - 2  # 2**32 - 1 is -1, "leave it as it is"


def user_name(uid: int) -> str:
    """Return the name of a user, or the number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@functools.lru_cache(maxsize=128)
def uid_gid(owner: str | None, group: str | None) -> tuple[int, int]:
    """Return the numbers of a user and a group that are given by name or number; -1 for None."""
    return _uid(owner), _gid(group)


def _uid(owner: str | None) -> int:
    import pwd

    return _number("owner", "user", owner, lambda name: pwd.getpwnam(name).pw_uid)


def _gid(group: str | None) -> int:
    import grp

    return _number("group", "group", group, lambda name: grp.getgrnam(name).gr_gid)


def _number(option: str, kind: str, name: str | None, by_name: t.Callable[[str], int]) -> int:
    """Look a name up first, as chown does (POSIX): a user may be called 1000."""
    if name is None:
        return -1
    try:
        return by_name(name)
    except (KeyError, ValueError):  # ValueError: not a name at all, such as one with a NUL byte
        if name.isascii() and name.isdigit() and int(name[:11]) <= _HIGHEST:
            return int(name)
    raise Misconfigured(
        f"host: option {option}: there is no {kind} {name!r} on this host; create it first or write its number"
    )
