# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a ledger gets its schema."""

from __future__ import annotations

import re
import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.database import Database
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.migrations import (
    USABLE_FROM,
    migrate,
    version_of,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import EXPANDS, MIGRATIONS, Migration

if t.TYPE_CHECKING:
    from pathlib import Path

NEWEST = len(MIGRATIONS)
USABLE = [(str(max(one.usable_from for one in MIGRATIONS)),)]
LATER = "CREATE TABLE later (id INTEGER)"
MORE = (*MIGRATIONS, Migration("one more", (LATER, "INSERT INTO later VALUES (7)"), EXPANDS))
BROKEN = (*MIGRATIONS, Migration("a broken one", (LATER, "INSERT INTO nowhere VALUES (7)"), NEWEST + 1))
CONTRACTED = (*MIGRATIONS, Migration("a table less", ("DROP TABLE pins",), usable_from=NEWEST + 1))


@pytest.fixture
def database(tmp_path: Path) -> t.Iterator[Database]:
    opened = Database.writable(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def test_migrations_are_journalled_and_applied_once(database: Database) -> None:
    migrate(database)
    migrate(database, MORE)
    migrate(database, MORE)
    assert version_of(database, MORE) == NEWEST + 1
    names = [one.name for one in MORE]
    assert database.read("SELECT number, name FROM migrations") == list(enumerate(names, start=1))
    assert database.read("SELECT id FROM later") == [(7,)]


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    migrate(database)
    with pytest.raises(Exception, match="no such table: nowhere"):
        migrate(database, BROKEN)
    assert version_of(database) == NEWEST
    assert database.read(USABLE_FROM) == USABLE
    assert database.read("SELECT count(*) FROM sqlite_master WHERE name = 'later'") == [(0,)]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_schema_that_this_release_cannot_use_is_refused_with_both_versions_and_the_remedy(
    tmp_path: Path, database: Database, *, read_only: bool
) -> None:
    migrate(database, CONTRACTED)
    with pytest.raises(Misconfigured) as refused:
        open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite", read_only=read_only)
    said = f"has schema {NEWEST + 1} and is for releases that know schema {NEWEST + 1} or later, this release knows"
    assert f"{said} up to {NEWEST}; " in str(refused.value)
    assert "upgrade the collection" in str(refused.value)


@pytest.mark.parametrize("told", [None, "", "soon", str(NEWEST + 1)])
def test_a_newer_schema_that_does_not_say_who_can_use_it_is_refused(
    tmp_path: Path, database: Database, told: str | None
) -> None:
    migrate(database, MORE)
    with database.transaction() as connection:
        connection.execute("DELETE FROM meta WHERE key = 'usable_from'")
        if told is not None:
            connection.execute("INSERT INTO meta (key, value) VALUES ('usable_from', ?)", (told,))
    with pytest.raises(Misconfigured, match=f"this release knows up to {NEWEST}; upgrade the collection"):
        open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite")


def test_a_migration_that_takes_away_can_leave_earlier_releases_at_work(tmp_path: Path, database: Database) -> None:
    gone = Migration("what that one replaced is gone", ("DROP TABLE later",), usable_from=NEWEST)
    migrate(database, (*MORE, gone))
    open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite").close()
    assert database.read(USABLE_FROM) == [(str(NEWEST),)]


def test_a_ledger_that_never_said_who_can_use_it_says_so_after_the_next_migration(database: Database) -> None:
    migrate(database)
    with database.transaction() as connection:
        connection.execute("DELETE FROM meta WHERE key = 'usable_from'")
    migrate(database, MORE)
    assert database.read(USABLE_FROM) == USABLE


@pytest.mark.parametrize("number", range(1, NEWEST + 1))
def test_a_migration_that_only_expands_adds_what_earlier_releases_need_not_know(number: int) -> None:
    """So it makes tables and indexes, and adds columns that may be null. Else it says from where on it can be used."""
    migration = MIGRATIONS[number - 1]
    made = re.findall(r"CREATE TABLE (\w+)", "".join(migration.statements))
    unfit = [one for one in migration.statements if not _only_expands(" ".join(one.split()), made)]
    assert migration.usable_from <= number
    assert (migration.usable_from != EXPANDS) or not unfit, f"{unfit}: then it does not expand; see CONTRIBUTING.md"


def _only_expands(statement: str, made: list[str]) -> bool:
    unique = re.match(r"CREATE UNIQUE INDEX \w+ ON (\w+)", statement)
    if unique:
        return unique[1] in made
    return re.match(r"CREATE (TABLE|INDEX) |ALTER TABLE \w+ ADD COLUMN \w+ (TEXT|INTEGER)$", statement) is not None


def test_every_statement_of_the_schema_ran(database: Database) -> None:
    migrate(database)
    tables = {row[0] for row in database.read("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {
        "meta",
        "migrations",
        "identities",
        "generations",
        "x509",
        "deliveries",
        "heads",
        "events",
        "pins",
        "backend_keys",
        "key_runs",
        "prepared_keys",
        "endpoints",
        "revocations",
        "checkpoints",
        "shipments",
        "archives",
    }
    assert database.read("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL") == [(22,)]


def test_an_older_schema_is_read_as_a_copy_and_stays_as_it_is(tmp_path: Path, database: Database) -> None:
    migrate(database)
    copy = Database.in_memory(tmp_path / "ledger.sqlite", database)
    migrate(copy, MORE)
    assert (version_of(copy, MORE), version_of(database)) == (NEWEST + 1, NEWEST)
    assert copy.read("SELECT value FROM meta") == database.read("SELECT value FROM meta")


def test_a_number_is_given_to_one_live_generation_only(database: Database) -> None:
    migrate(database)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO identities (host, store, name, kind, labels, state, created_at)"
            " VALUES ('h', 's', 'n', 'x509', '{}', 'present', '')",
        )
        row = "INSERT INTO generations (identity, number, state, issuer_id, custody, key_type, public_id, intended_at)"
        connection.execute(f"{row} VALUES (1, 1, 'orphaned', 'i', 'file', 'ed25519', 'a', '')")
        connection.execute(f"{row} VALUES (1, 1, 'intended', 'i', 'file', 'ed25519', 'b', '')")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(f"{row} VALUES (1, 1, 'current', 'i', 'file', 'ed25519', 'c', '')")


def test_what_an_older_ledger_does_not_have_as_proved_may_still_be_shown(database: Database) -> None:
    migrate(database, MIGRATIONS[:7])
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO identities (host, store, name, kind, labels, state, current, created_at)"
            " VALUES ('h', 's', 'n', 'x509', '{}', 'present', 4, '')",
        )
        row = "INSERT INTO generations (identity, number, state, issuer_id, custody, key_type, public_id, intended_at)"
        for number, state in enumerate(("superseded", "superseded", "superseded", "current", "intended"), start=1):
            connection.execute(f"{row} VALUES (1, ?, ?, 'i', 'file', 'ed25519', ?, '')", (number, state, str(number)))
        connection.execute("INSERT INTO endpoints VALUES (2, 'h', 443, NULL, NULL, '')")
    migrate(database)
    assert database.read("SELECT number, shown FROM generations ORDER BY number") == [
        (1, 0), (2, 1), (3, 1), (4, 1), (5, 0),
    ]  # fmt: skip
