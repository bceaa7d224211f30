# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The release after this one: the same code, with one more migration, and a ledger that it has migrated.

Its migration only expands, as far as that goes: every table gets a column of every name that any table has, so that a
statement of ours that leaves open whose column it means would be found out.
"""

from __future__ import annotations

import shutil
import typing as t
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import dialect
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.database import Database
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.migrations import migrate, note
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.postgresql import PostgresDatabase
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import EXPANDS, MIGRATIONS, Migration
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.target import target_of
from ansible_collections.keystead.identity.tests.harness.ledgers import LEDGERS, InDatabase, InFile
from ansible_collections.keystead.identity.tests.harness.postgres import MIGRATOR, PASSWORDS

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.ledgers import Place

EXPANDED = "sqlite of the next release"
SHIPPED = ("galaxy.yml", "meta", "playbooks", "plugins")
TABLE = "sightings"
_COLLECTION = Path(__file__).resolve().parents[2]
_COLUMNS = """
SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid
"""


def _statements() -> t.Iterator[str]:
    with closing(Database.in_memory(Path("nowhere"))) as today:
        migrate(today)
        found = today.read(_COLUMNS)
    tables = sorted({table for table, _column in found})
    new = {"seen_by": "", **dict.fromkeys(column for _table, column in found)}
    for table in tables:
        there = {column for owner, column in found if owner == table}
        yield from (f"ALTER TABLE {table} ADD COLUMN {column} TEXT" for column in new if column not in there)
    yield f"CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, host TEXT NOT NULL)"
    yield "CREATE INDEX generations_seen_by ON generations (seen_by)"


NEXT = Migration("of the next release", tuple(_statements()), EXPANDS)
MORE = (*MIGRATIONS, NEXT)


def expand(place: Place) -> None:
    """Be the next release, and migrate a ledger."""
    if isinstance(place, InFile):
        with closing(Database.writable(place.path)) as database:
            migrate(database, MORE)
    elif isinstance(place, InDatabase):
        target = target_of(place.server.url(place.name, MIGRATOR))
        with closing(PostgresDatabase(target, PASSWORDS[MIGRATOR])) as database, database.opened() as session:
            for statement in NEXT.statements:
                session.execute(dialect.definition(statement))
            note(session, len(MORE), MORE)


@pytest.fixture(params=[*LEDGERS, EXPANDED])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return where a new ledger is kept; the next release may have migrated it before this one comes to it."""
    if request.param == "postgresql":
        return InDatabase(request.getfixturevalue("postgres_server"))
    made = InFile(tmp_path / "ledger.sqlite")
    if request.param == EXPANDED:
        expand(made)
    return made


def collections(directory: Path) -> Path:
    """Write the next release, and return where Ansible finds it: the value of ANSIBLE_COLLECTIONS_PATH."""
    made = directory / "ansible_collections" / "keystead" / "identity"
    made.mkdir(parents=True)
    for name in SHIPPED:
        whole = _COLLECTION / name
        copied = shutil.copytree if whole.is_dir() else shutil.copy
        copied(whole, made / name)
    ledger = made / "plugins" / "plugin_utils" / "_ledger"
    with (ledger / "schema.py").open("a", encoding="utf-8") as schema:
        schema.write(f"\nMIGRATIONS = (*MIGRATIONS, Migration{tuple(NEXT)!r})\n")
    with (ledger / "grants.py").open("a", encoding="utf-8") as grants:
        grants.write(f'\nCONVERGER["{TABLE}"] = frozenset(["SELECT", "INSERT"])\n')
    return directory
