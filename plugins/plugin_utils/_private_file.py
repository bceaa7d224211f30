# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A file of the controller that is made for its user alone, before anything else opens it by its name."""

from __future__ import annotations

import os
import typing as t

from ..module_utils._core.errors import Misconfigured
from ._durable import sync_names

if t.TYPE_CHECKING:
    from pathlib import Path


def make(path: Path, option: str) -> None:
    """Make a file where it is not there; nobody's link is followed. Raises Misconfigured, naming the option."""
    if not path.is_absolute():
        raise Misconfigured(f"{option}: {str(path)!r:.100} is no absolute path; write one")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        sync_names(path.parent)
    except OSError as error:
        raise Misconfigured(
            f"{option}: {path} cannot be written ({error.strerror}); name a file in a directory that is there, that "
            "this user may write, and that outlives this process"
        ) from None
