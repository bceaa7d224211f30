# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The list of ledgers: SQLite today."""

from __future__ import annotations

import os
import typing as t

from .ledger import SqliteLedger, open_read_only, open_writable
from .location import default_path, make_directory, path_of

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Check


def open_ledger(url: str | None, *, read_only: bool = False) -> SqliteLedger:
    """Open the ledger that option `ledger` names, by default the user's own; made and migrated when it is written to.

    Read-only, nothing is made, migrated or written; a ledger that does not exist yet is empty and its id is None.
    The directory of the default is made; that of an explicit path must be there, a misspelt one would forget
    everything.
    """
    path = path_of(url) if url else default_path(os.environ)
    if read_only:
        return open_read_only(path)
    if not url:
        make_directory(path.parent)
    return open_writable(path)


def check_ledger(url: str | None) -> Check:
    """Return whether the next run could write the ledger that option `ledger` names. Raises KeysteadError."""
    from .preflight import check

    return check(path_of(url) if url else default_path(os.environ), made=not url)
