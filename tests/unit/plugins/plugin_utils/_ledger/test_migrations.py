# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a ledger gets its schema."""

from __future__ import annotations

import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.database import Database
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.migrations import migrate, version_of
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import MIGRATIONS

if t.TYPE_CHECKING:
    from pathlib import Path

NEWEST = len(MIGRATIONS)
MORE = (*MIGRATIONS, ("one more", ("CREATE TABLE later (id INTEGER)", "INSERT INTO later VALUES (7)")))
BROKEN = (*MIGRATIONS, ("a broken one", ("CREATE TABLE later (id INTEGER)", "INSERT INTO nowhere VALUES (7)")))


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
    names = [name for name, _statements in MORE]
    assert database.read("SELECT number, name FROM migrations") == list(enumerate(names, start=1))
    assert database.read("SELECT id FROM later") == [(7,)]


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    migrate(database)
    with pytest.raises(Exception, match="no such table: nowhere"):
        migrate(database, BROKEN)
    assert version_of(database) == NEWEST
    assert database.read("SELECT count(*) FROM sqlite_master WHERE name = 'later'") == [(0,)]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_schema_is_refused_with_both_versions_and_the_remedy(
    tmp_path: Path, database: Database, *, read_only: bool
) -> None:
    migrate(database, MORE)
    with pytest.raises(Misconfigured) as refused:
        open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite", read_only=read_only)
    assert f"has schema {NEWEST + 1}, this release knows up to {NEWEST}" in str(refused.value)
    assert "upgrade the collection" in str(refused.value)


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
        "endpoints",
        "revocations",
    }
    assert database.read("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL") == [(15,)]


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
