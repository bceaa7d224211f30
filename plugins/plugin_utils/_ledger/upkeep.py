# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Upkeep: a ledger gets the schema of this release, and, in PostgreSQL, its roles get their rights."""

from __future__ import annotations

import os
import typing as t

from ...module_utils._core.errors import Misconfigured
from .location import default_path, path_of, refuse_password
from .migrations import USABLE_FROM, note, refuse_unusable, version_of
from .password import password_of
from .schema import MIGRATIONS
from .target import is_postgresql

if t.TYPE_CHECKING:
    from .postgresql import PostgresDatabase, Session

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(1263752260)"  # before there is a table to lock; "KSTD"


class Upkeep(t.NamedTuple):
    """What was done, or would be: the schema before and after, and the statements about rights."""

    before: int
    after: int
    grants: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Tell whether anything was."""
        return self.before != self.after or bool(self.grants)


def migrated(options: t.Mapping[str, t.Any], *, check: bool) -> Upkeep:
    """Bring the ledger that the options of a task name to the schema of this release. With `check`, only look."""
    url, password = options.get("ledger"), password_of(options)
    if url and is_postgresql(url):
        refuse_password(url)
        return _postgresql(url, password, options, check=check)
    for option in ("convergers", "auditors", "signers"):
        if options.get(option):
            raise Misconfigured(f"ledger_migrate: option {option} is for PostgreSQL; an SQLite file knows no roles")
    return _sqlite(url, check=check)


def _sqlite(url: str | None, *, check: bool) -> Upkeep:
    from .database import Database
    from .registry import open_ledger

    path = path_of(url) if url else default_path(os.environ)
    database = Database.read_only(path)
    try:
        before = version_of(database) if database else 0
    finally:
        if database:
            database.close()
    if not check:
        open_ledger(url).close()
    return Upkeep(before, max(before, len(MIGRATIONS)))


def _postgresql(url: str, password: str | None, options: t.Mapping[str, t.Any], *, check: bool) -> Upkeep:
    from .grants import duties
    from .postgresql import PostgresDatabase, load
    from .target import target_of

    load()
    wanted = duties(options)
    database = PostgresDatabase(target_of(url), password)
    try:
        with database.opened() as session:
            return _brought_up(database, session, wanted, check=check)
    finally:
        database.close()


def _brought_up(database: PostgresDatabase, session: Session, wanted: t.Mapping[str, t.Any], *, check: bool) -> Upkeep:
    from .grants import grants

    if not check:
        session.execute(_ONE_AT_A_TIME)
    before = _version(session)
    is_newer = before > len(MIGRATIONS)
    if is_newer:
        refuse_unusable(database.place, before, session.execute(USABLE_FROM).fetchall())
    if not check:
        for number in range(before + 1, len(MIGRATIONS) + 1):
            _apply(session, number)
    statements = grants(session, wanted, is_made=bool(before) or not check, may_take=not is_newer)
    for statement in () if check else statements:
        session.execute(statement)
    return Upkeep(before, max(before, len(MIGRATIONS)), tuple(statements))


def _version(session: Session) -> int:
    ((there,),) = session.execute("SELECT to_regclass('migrations') IS NOT NULL").fetchall()
    return int(session.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchall()[0][0]) if there else 0


def _apply(session: Session, number: int) -> None:
    from . import dialect

    for statement in (*map(dialect.definition, MIGRATIONS[number - 1].statements), *dialect.ONLY_HERE.get(number, ())):
        session.execute(statement)
    note(session, number)
