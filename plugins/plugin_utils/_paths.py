# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Paths of a host, as a task writes them."""

from __future__ import annotations

import posixpath

from ..module_utils._core.errors import Misconfigured


def absolute(path: str) -> str:
    """Return a path of a host, which must be absolute and have its shortest form."""
    if not path.isprintable():
        raise Misconfigured(f"{path[:255]!r} has characters that are not printable; write the path without them")
    if not path.startswith("/") or path.startswith("//") or posixpath.normpath(path) != path:
        shortest = posixpath.normpath(f"/{path}").replace("//", "/")
        raise Misconfigured(f"{path[:255]!r} is not an absolute path in its shortest form; write {shortest[:255]!r}")
    return path
