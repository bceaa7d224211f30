# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The list of ledgers: a file of SQLite, or a database of PostgreSQL that controllers share."""

from __future__ import annotations

import contextlib
import importlib
import os
import typing as t

from ...module_utils._core.errors import Misconfigured
from .location import default_path, make_directory, path_of, refuse_password
from .password import password_of
from .signing_key import NAME as KEY
from .sqlite import open_read_only, open_writable
from .target import is_postgresql, target_of
from .writing import CONVERGE

if t.TYPE_CHECKING:
    from pathlib import Path

    from ...module_utils._core.ports import Check
    from .ledger import SqlLedger

if is_postgresql(os.environ.get("KEYSTEAD_LEDGER", "")):  # then it is loaded once, by the parent of all forks
    with contextlib.suppress(ImportError):
        importlib.import_module("psycopg")


def open_for(options: t.Mapping[str, t.Any], *, read_only: bool = False) -> SqlLedger:
    """Open the ledger that the options `ledger`, `ledger_password` and `ledger_password_file` of a task name.

    What an emergency did while it was down is written into it first, where it is written to.
    """
    ledger = open_ledger(options.get("ledger"), read_only=read_only, password=password_of(options))
    journal = None if read_only else waiting(options.get("ledger"))
    if journal is not None:
        from .merging import merge

        try:
            merge(ledger, journal)
        except BaseException:
            ledger.close()
            raise
    return ledger


def open_to(purpose: str, options: t.Mapping[str, t.Any]) -> SqlLedger:
    """Open the same ledger to write into it what no run over hosts does: for SIGN or ARCHIVE, of `writing`."""
    url, password = options.get("ledger"), password_of(options)
    if url and is_postgresql(url):
        return _postgresql(url, password, read_only=False, purpose=purpose)
    return open_ledger(url)


def waiting(url: str | None) -> Path | None:
    """Return the journal that waits for a ledger; nearly always there is none."""
    with contextlib.suppress(Misconfigured, OSError):  # then there is no place where this user could have put one
        if (default_path(os.environ).parent / KEY).exists():
            from .journal import place_of

            path = place_of(url, os.environ)
            return path if path.exists() else None
    return None


def open_ledger(url: str | None, *, read_only: bool = False, password: str | None = None) -> SqlLedger:
    """Open the ledger at a URL, by default the user's own; one of SQLite is made and migrated when it is written to.

    Read-only, nothing is made, migrated or written; a file that does not exist yet is an empty ledger whose id is None.
    The directory of the default is made; that of an explicit path must be there, a misspelt one would forget
    everything. A database of PostgreSQL must have the schema of this release: its owner makes it.
    """
    if url and is_postgresql(url):
        return _postgresql(url, password, read_only=read_only)
    path = path_of(url) if url else default_path(os.environ)
    if not url and not read_only:
        make_directory(path.parent)
    return open_read_only(path) if read_only else open_writable(path)


def check_ledger(options: t.Mapping[str, t.Any]) -> Check:
    """Return whether the next run could use the ledger that the options of a task name. Raises KeysteadError."""
    from .preflight import check_file, check_shared

    url, password = options.get("ledger"), password_of(options)
    if url and is_postgresql(url):
        with contextlib.closing(_postgresql(url, password, read_only=True)) as ledger:
            return check_shared(target_of(url).place, ledger)
    return check_file(path_of(url) if url else default_path(os.environ), made=not url)


def _postgresql(url: str, password: str | None, *, read_only: bool, purpose: str = CONVERGE) -> SqlLedger:
    from .shared import open_shared

    refuse_password(url)
    return open_shared(url, password, read_only=read_only, purpose=purpose)
