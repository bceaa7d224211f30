# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The ledger in a PostgreSQL database: its schema is made by its owner, never by a run that only uses it."""

from __future__ import annotations

from ...module_utils._core.errors import Misconfigured
from .ledger import SqlLedger
from .migrations import too_new
from .postgresql import PostgresDatabase, load
from .postgresql_errors import MIGRATE
from .schema import MIGRATIONS
from .target import target_of
from .writing import ASKED, hindrance

_ABOUT = "SELECT (SELECT max(number) FROM migrations), (SELECT value FROM meta WHERE key = 'id'), " + ASKED  # noqa: S608 - ours


def open_shared(url: str, password: str | None, *, read_only: bool) -> SqlLedger:
    """Open the ledger in a database. One without a ledger, or with one of another schema, is refused."""
    load()
    database = PostgresDatabase(target_of(url), password, read_only=read_only)
    try:
        return SqlLedger(database, _checked(database, read_only=read_only))
    except BaseException:
        database.close()
        raise


def _checked(database: PostgresDatabase, *, read_only: bool) -> str:
    """Return the id of a ledger that has this release's schema, and lets itself be written."""
    ((version, ledger_id, *answer),) = database.read(_ABOUT)
    if ledger_id is None:
        raise Misconfigured(f"ledger: {database.place} has no ledger in it; {MIGRATE}")
    if version > len(MIGRATIONS):
        raise too_new(database.place, version, len(MIGRATIONS))
    if version < len(MIGRATIONS):
        raise Misconfigured(
            f"ledger: {database.place} has schema {version}, this release needs {len(MIGRATIONS)}; {MIGRATE}"
        )
    if not read_only and (hindered := hindrance(answer)):
        raise Misconfigured(f"ledger: {database.place} {'; '.join(hindered)}")
    return str(ledger_id)
