# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is written on the controller outlives a loss of power; whether it could be written at all."""

from __future__ import annotations

import errno
import os
import typing as t

if t.TYPE_CHECKING:
    from pathlib import Path


_CANNOT_TELL = (errno.EOPNOTSUPP, errno.EISDIR)  # of file systems that have no files without a name


def check_can_hold(directory: Path) -> None:
    """Raise OSError where no file could be made in a directory: one is made that has no name, so nobody sees it."""
    try:
        os.close(os.open(directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno not in _CANNOT_TELL or not os.access(directory, os.W_OK | os.X_OK):
            raise


def sync_names(directory: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
