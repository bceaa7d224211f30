# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Users and groups of files, by name or number; and whether anybody else may change what is in a directory."""

from __future__ import annotations

import functools
import os
import stat
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


def facts_of(there: os.stat_result) -> dict[str, str]:
    """Return who owns a file and who may read it: `owner`, `group` and `mode`, in octal."""
    import grp

    try:
        group = grp.getgrgid(there.st_gid).gr_name
    except KeyError:
        group = str(there.st_gid)
    return {"owner": user_name(there.st_uid), "group": group, "mode": f"{there.st_mode & 0o777:04o}"}


def changed_by_us_alone(info: os.stat_result) -> bool:
    """Tell whether only root and we can exchange what is in a directory (rule W2 of docs/design.md).

    It belongs to root or to us. Group and others may not write, except into a sticky directory of root's (such
    as /tmp), and except that the group is our own private one.
    """
    return info.st_uid in (0, os.geteuid()) and not _written_by_others(info)


def _written_by_others(info: os.stat_result) -> bool:
    if info.st_uid == 0 and info.st_mode & stat.S_ISVTX:
        return False
    if info.st_mode & stat.S_IWOTH:
        return True
    return bool(info.st_mode & stat.S_IWGRP) and not _private(info.st_gid)


def _private(gid: int) -> bool:
    """Tell whether a group is the one that was made for our user alone: of the same name, with no other member."""
    if gid != os.getegid():
        return False
    import grp

    us = user_name(os.geteuid())
    try:
        group = grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_name == us and not set(group.gr_mem) - {us}


@functools.lru_cache(maxsize=128)
def uid_gid(owner: str | None, group: str | None) -> tuple[int, int]:
    """Return the numbers of a user and a group that are given by name or number; -1 for None."""
    return _uid(owner), _gid(group)


def check_may_give(owner: str | None, group: str | None) -> None:
    """Refuse, before anything is made, a user or group that is not there or that we may not give a file to."""
    uid, gid = uid_gid(owner, group)
    if os.geteuid() == 0:
        return
    if uid not in (-1, os.geteuid()):
        raise Misconfigured(
            f"host: option owner: only root may give files to {owner!r}; use become: true, or leave it out"
        )
    if gid not in (-1, os.getegid(), *os.getgroups()):
        who = user_name(os.geteuid())
        raise Misconfigured(
            f"host: option group: user {who} is not in group {group!r}; use become: true, or join it"
        )


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
