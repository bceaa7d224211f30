# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a ledger gets the schema of this release: once, whoever comes first. And which later ones it can use."""

from __future__ import annotations

import typing as t
import uuid

from ...module_utils._core.errors import Misconfigured
from .moments import now
from .schema import MIGRATIONS, Migration

if t.TYPE_CHECKING:

    from .database import Database
    from .sql import Connection, Rows

APPLICATION_ID = 0x4B535444
"""What `PRAGMA application_id` says in every ledger."""

Migrations = tuple[Migration, ...]
USABLE_FROM = "SELECT value FROM meta WHERE key = 'usable_from'"
_USABLE_FROM = """
INSERT INTO meta (key, value) VALUES ('usable_from', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


def version_of(database: Database, migrations: Migrations = MIGRATIONS) -> int:
    """Return the number of the last migration; 0 in an empty file.

    Refuses other people's files, and newer schemas that this release cannot use.
    """
    ((version, application, tables),) = database.read(
        "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_user_version, pragma_application_id",
    )
    if application != APPLICATION_ID and (tables or application or version):
        message = f"ledger: {database.path} belongs to another application; set option ledger to another path"
        raise Misconfigured(message)
    if version > len(migrations):
        refuse_unusable(database.path, version, database.read(USABLE_FROM), len(migrations))
    return int(version)


def refuse_unusable(place: object, version: int, told: Rows, known: int = len(MIGRATIONS)) -> None:
    """Raise Misconfigured for a ledger that a later release has migrated, unless it says that this one can use it.

    `told` is what USABLE_FROM asks for.
    """
    usable_from = str(told[0][0]) if told else ""
    if version <= known or (usable_from.isdecimal() and int(usable_from) <= known):
        return
    whom = f" and is for releases that know schema {usable_from} or later" if usable_from else ""
    raise Misconfigured(
        f"ledger: {place} has schema {version}{whom}, this release knows up to {known}; "
        "upgrade the collection keystead.identity on this controller"
    )


def migrate(database: Database, migrations: Migrations = MIGRATIONS) -> None:
    """Apply what is missing. Every migration is one transaction, and looks again once it has the lock."""
    for number in range(1, len(migrations) + 1):
        with database.transaction() as connection:
            if version_of(database, migrations) < number:
                _apply(connection, number, migrations)


def _apply(connection: Connection, number: int, migrations: Migrations) -> None:
    for statement in migrations[number - 1].statements:
        connection.execute(statement)
    note(connection, number, migrations)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {number}")


def note(connection: Connection, number: int, migrations: Migrations = MIGRATIONS) -> None:
    """Write down that a migration was applied, and who can use the ledger now. With the first one it gets its id."""
    applied = (number, migrations[number - 1].name, now())
    connection.execute("INSERT INTO migrations (number, name, applied_at) VALUES (?, ?, ?)", applied)
    connection.execute(_USABLE_FROM, (str(max(one.usable_from for one in migrations[:number])),))
    if number == 1:
        connection.execute("INSERT INTO meta (key, value) VALUES ('id', ?)", (str(uuid.uuid4()),))
