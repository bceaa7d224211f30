# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Owner, group, mode and SELinux type of the current generation's files: seen, and put right in place."""

from __future__ import annotations

import os
import stat
import typing as t

from .._core.model import Files, Finding
from . import selinux
from .durability import sync
from .layout import PUBLIC_MODE, SECRET_FILES
from .os_errors import said
from .ownership import uid_gid


def wanted_mode(name: str, files: Files) -> int:
    """Return the mode that a file of a generation shall have."""
    return int(files.mode, 8) if name in SECRET_FILES else PUBLIC_MODE


def drift_of(directory: int, found: t.Mapping[str, os.stat_result], files: Files) -> tuple[Finding, ...]:
    """Return what is not as declared of the files that were found in an open generation directory."""
    uid, gid = uid_gid(files.owner, files.group)
    drift: list[Finding] = []
    for name, there in found.items():
        mode, wanted = stat.S_IMODE(there.st_mode), wanted_mode(name, files)
        if mode != wanted:
            drift.append(Finding("mode", name, f"{mode:04o}, not {wanted:04o}"))
        if uid not in (-1, there.st_uid) or gid not in (-1, there.st_gid):
            ids = f"{there.st_uid}:{there.st_gid}"
            drift.append(Finding("owner", name, f"{ids}, not {files.owner or ''}:{files.group or ''}"))
    if selinux.enabled():
        drift += (finding for name in found for finding in _mislabelled(directory, name))
    return tuple(drift)


def _mislabelled(directory: int, name: str) -> t.Iterator[Finding]:
    label = _label(directory, name)
    if label not in (None, selinux.TYPE):
        yield Finding("selinux", name, f"{label}, not {selinux.TYPE}")


def _label(directory: int, name: str) -> str | None:
    with said(name, directory):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
        try:
            return selinux.type_of(descriptor)
        finally:
            os.close(descriptor)


def put_right(directory: int, names: t.Sequence[str], files: Files) -> None:
    """Give the files of a generation what is declared, through descriptors that are not followed."""
    uid, gid = uid_gid(files.owner, files.group)
    for name in names:
        with said(name, directory):
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            try:
                if (uid, gid) != (-1, -1):
                    os.fchown(descriptor, uid, gid)
                os.fchmod(descriptor, wanted_mode(name, files))
                selinux.restore_type(descriptor)
                sync(descriptor)
            finally:
                os.close(descriptor)
