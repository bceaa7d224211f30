# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The ledger in one SQLite file: it is made, migrated or copied when it is opened."""

from __future__ import annotations

import typing as t

from .database import Database
from .ledger import SqlLedger
from .migrations import migrate, version_of
from .schema import MIGRATIONS

if t.TYPE_CHECKING:
    from pathlib import Path


def open_writable(path: Path) -> SqlLedger:
    """Open a ledger, made and migrated when needed."""
    database = Database.writable(path)
    try:
        if version_of(database) < len(MIGRATIONS):
            database.keep_write_ahead_log()
            migrate(database)
        return SqlLedger(database, _id(database))
    except BaseException:
        database.close()
        raise


def open_read_only(path: Path) -> SqlLedger:
    """Open a ledger without touching it. One that is missing, or of an older schema, is read as a copy in memory."""
    database = Database.read_only(path)
    if database is None:
        return _migrated_copy(path, None)
    try:
        if version_of(database) >= len(MIGRATIONS):
            return SqlLedger(database, _id(database))
        copy = _migrated_copy(path, database)
    except BaseException:
        database.close()
        raise
    database.close()
    return copy


def _migrated_copy(path: Path, source: Database | None) -> SqlLedger:
    nameless = source is None or version_of(source) == 0
    copy = Database.in_memory(path, source)
    migrate(copy)
    return SqlLedger(copy, None if nameless else _id(copy))


def _id(database: Database) -> str:
    with database.edge():
        return str(database.read("SELECT value FROM meta WHERE key = 'id'")[0][0])
