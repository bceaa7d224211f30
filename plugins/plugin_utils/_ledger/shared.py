# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The ledger in a PostgreSQL database: its schema is made by its owner, never by a run that only uses it."""

from __future__ import annotations

from ...module_utils._core.errors import Misconfigured
from .ledger import SqlLedger
from .migrations import USABLE_FROM, refuse_unusable
from .postgresql import PostgresDatabase, load
from .postgresql_errors import MIGRATE
from .schema import MIGRATIONS
from .target import target_of
from .writing import CONVERGE, asked, hindrance

_ABOUT = (
    f"SELECT (SELECT max(number) FROM migrations), ({USABLE_FROM}), (SELECT value FROM meta WHERE key = 'id'), "  # noqa: S608 - ours
)


def open_shared(url: str, password: str | None, *, read_only: bool, purpose: str = CONVERGE) -> SqlLedger:
    """Open the ledger in a database, to be written for a purpose. One without a ledger that can be used is refused."""
    load()
    database = PostgresDatabase(target_of(url), password, read_only=read_only)
    try:
        return SqlLedger(database, _checked(database, None if read_only else purpose))
    except BaseException:
        database.close()
        raise


def _checked(database: PostgresDatabase, purpose: str | None) -> str:
    """Return the id of a ledger that this release can use, and that lets itself be written for a purpose."""
    ((version, usable_from, ledger_id, *answer),) = database.read(_ABOUT + asked(purpose or CONVERGE))
    if ledger_id is None:
        raise Misconfigured(f"ledger: {database.place} has no ledger in it; {MIGRATE}")
    refuse_unusable(database.place, version, [(usable_from,)] if usable_from else [])
    if version < len(MIGRATIONS):
        raise Misconfigured(
            f"ledger: {database.place} has schema {version}, this release needs {len(MIGRATIONS)}; {MIGRATE}"
        )
    if purpose and (hindered := hindrance(answer, purpose)):
        raise Misconfigured(f"ledger: {database.place} {'; '.join(hindered)}")
    return str(ledger_id)
