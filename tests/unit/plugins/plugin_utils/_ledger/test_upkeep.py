# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a ledger in PostgreSQL gets its schema: from its owner, once, whole."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import MIGRATIONS
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.upkeep import Upkeep, migrated
from ansible_collections.keystead.identity.tests.harness.postgres import CONVERGER, MIGRATOR

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.one_core]

NEWEST = len(MIGRATIONS)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


def test_check_mode_says_what_would_be_made_and_makes_nothing(postgres_server: Server) -> None:
    name = postgres_server.database()
    options = {**postgres_server.options(name, MIGRATOR), "convergers": [CONVERGER]}
    foreseen = migrated(options, check=True)
    assert postgres_server.admin(TABLES, database=name) == []
    assert (foreseen.before, foreseen.after, foreseen.changed) == (0, NEWEST, True)
    assert migrated(options, check=False) == foreseen
    assert migrated(options, check=False) == Upkeep(NEWEST, NEWEST)


def test_both_databases_have_the_same_tables_columns_and_indexes(postgres_server: Server, tmp_path: Path) -> None:
    name = postgres_server.ledger()
    columns = "SELECT table_name, column_name, is_nullable FROM information_schema.columns"
    there = set(postgres_server.admin(f"{columns} WHERE table_schema = 'public'", database=name))
    ledger = open_for({"ledger": f"sqlite:///{tmp_path}/ledger.sqlite"})
    here = ledger.read(
        "SELECT m.name, c.name, CASE WHEN c.[notnull] OR c.pk THEN 'NO' ELSE 'YES' END"
        " FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    )
    assert there == set(here)
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname !~ '_(pkey|key)$'"
    mine = ledger.read("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    assert sorted(postgres_server.admin(indexes, database=name)) == sorted(mine)
    ledger.close()


def test_whoever_comes_first_makes_the_ledger_and_the_others_find_it(postgres_server: Server) -> None:
    name = postgres_server.database()
    options = {**postgres_server.options(name, MIGRATOR), "convergers": [CONVERGER]}
    start, go = os.pipe()
    children = []
    for _ in range(8):
        child = os.fork()
        if not child:
            code = 9
            try:
                os.close(go)
                os.read(start, 1)
                code = 3 if migrated(options, check=False).changed else 0
            finally:
                os._exit(code)
        children.append(child)
    os.close(start)
    os.close(go)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0] * 7 + [3]
    assert postgres_server.admin("SELECT count(*) FROM meta WHERE key = 'id'", database=name) == [(1,)]


def test_a_database_that_has_a_table_of_another_application_is_left_as_it_is(postgres_server: Server) -> None:
    name = postgres_server.database()
    postgres_server.told(name, MIGRATOR, "CREATE TABLE events (cookie TEXT)")
    with pytest.raises(Misconfigured, match="belongs to another application; give the ledger a database of its own"):
        migrated(postgres_server.options(name, MIGRATOR), check=False)
    assert postgres_server.admin(TABLES, database=name) == [("events",)]


def test_a_role_that_may_not_make_tables_is_told_so(postgres_server: Server) -> None:
    name = postgres_server.database()
    with pytest.raises(Misconfigured, match="does not permit this"):
        migrated(postgres_server.options(name), check=False)


@pytest.mark.parametrize("told", ["98", "", None])
def test_a_newer_schema_that_this_release_cannot_use_is_refused(postgres_server: Server, told: str | None) -> None:
    name = postgres_server.ledger()
    said = "DELETE FROM meta WHERE key = 'usable_from'"
    if told is not None:
        said = f"UPDATE meta SET value = '{told}' WHERE key = 'usable_from'"
    postgres_server.told(name, MIGRATOR, "INSERT INTO migrations VALUES (99, 'of the future', '')", said)
    whom = f" and is for releases that know schema {told} or later" if told else ""
    sentence = f"has schema 99{whom}, this release knows up to {NEWEST}; upgrade the collection"
    with pytest.raises(Misconfigured, match=sentence):
        migrated(postgres_server.options(name, MIGRATOR), check=False)
    for read_only in (True, False):
        with pytest.raises(Misconfigured, match=sentence):
            open_for(postgres_server.options(name), read_only=read_only)


def test_an_sqlite_file_is_migrated_as_every_run_does_it(tmp_path: Path) -> None:
    options = {"ledger": f"sqlite:///{tmp_path}/ledger.sqlite"}
    assert migrated(options, check=True) == Upkeep(0, NEWEST)
    assert list(tmp_path.iterdir()) == []
    assert migrated(options, check=False) == Upkeep(0, NEWEST)
    assert not migrated(options, check=False).changed
