# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a ledger gets the schema of this release: once, whoever comes first."""

from __future__ import annotations

import typing as t
import uuid

from ...module_utils._core.errors import Misconfigured
from .moments import now
from .schema import MIGRATIONS

if t.TYPE_CHECKING:

    from .database import Database
    from .sql import Connection

APPLICATION_ID = 0x4B535444
"""What `PRAGMA application_id` says in every ledger."""

Migrations = tuple[tuple[str, tuple[str, ...]], ...]


def version_of(database: Database, migrations: Migrations = MIGRATIONS) -> int:
    """Return the number of the last migration; 0 in an empty file. Refuses other people's files and newer schemas."""
    ((version, application, tables),) = database.read(
        "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_user_version, pragma_application_id",
    )
    if application != APPLICATION_ID and (tables or application or version):
        message = f"ledger: {database.path} belongs to another application; set option ledger to another path"
        raise Misconfigured(message)
    if version > len(migrations):
        raise too_new(database.path, version, len(migrations))
    return int(version)


def too_new(place: object, version: int, known: int) -> Misconfigured:
    """Return the refusal of a ledger that a later release has migrated."""
    return Misconfigured(
        f"ledger: {place} has schema {version}, this release knows up to {known}; "
        "upgrade the collection keystead.identity on this controller"
    )


def migrate(database: Database, migrations: Migrations = MIGRATIONS) -> None:
    """Apply what is missing. Every migration is one transaction, and looks again once it has the lock."""
    for number, (name, statements) in enumerate(migrations, start=1):
        with database.transaction() as connection:
            if version_of(database, migrations) < number:
                _apply(connection, number, name, statements)


def _apply(connection: Connection, number: int, name: str, statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(statement)
    note(connection, number, name)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {number}")


def note(connection: Connection, number: int, name: str) -> None:
    """Write down that a migration was applied; with the first one, a ledger gets its id."""
    connection.execute("INSERT INTO migrations (number, name, applied_at) VALUES (?, ?, ?)", (number, name, now()))
    if number == 1:
        connection.execute("INSERT INTO meta (key, value) VALUES ('id', ?)", (str(uuid.uuid4()),))
