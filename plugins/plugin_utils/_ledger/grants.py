# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who may do what in a ledger of PostgreSQL: whoever converges adds events and never changes one, auditors only read.

The role that owns the schema, the migrator, grants it. A role has exactly what its duty needs, so what it was granted
beyond that on a table of the ledger is taken back. Of a ledger that a later release has migrated nothing is taken back:
only that release knows what its duties need, and its tables are not ours.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from . import dialect

if t.TYPE_CHECKING:
    from .postgresql import Session

Rights = t.Mapping[str, frozenset[str]]


def _rights(**tables: str) -> Rights:
    return {table: frozenset(rights.split()) for table, rights in tables.items()}


CONVERGER = _rights(
    meta="SELECT",
    migrations="SELECT",
    identities="SELECT INSERT UPDATE",
    generations="SELECT INSERT UPDATE DELETE",  # an intent that is repeated takes the place of the one before
    x509="SELECT INSERT UPDATE",
    deliveries="SELECT INSERT UPDATE",
    heads="SELECT INSERT",
    events="SELECT INSERT",
    pins="SELECT INSERT DELETE",
    backend_keys="SELECT INSERT UPDATE",
    key_runs="SELECT INSERT UPDATE DELETE",  # a run is there as long as it is at work
    prepared_keys="SELECT INSERT UPDATE DELETE",  # what became active is among backend_keys
    endpoints="SELECT INSERT UPDATE",
    revocations="SELECT INSERT UPDATE",
    checkpoints="SELECT",
    shipments="SELECT",
    archives="SELECT",
    **{dialect.TURN: "DELETE"},  # it has no rows: this is what LOCK TABLE asks for
)
AUDITOR = _rights(**{table: "SELECT" for table in CONVERGER if table != dialect.TURN})
SIGNER = {
    **AUDITOR, **_rights(checkpoints="SELECT INSERT DELETE", shipments="SELECT INSERT", **{dialect.TURN: "DELETE"})
}
DUTIES: t.Mapping[str, Rights] = {"convergers": CONVERGER, "auditors": AUDITOR, "signers": SIGNER}
"""The rights of a duty, by the option that names its roles."""

_HELD = """
SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.grantee = (?::text)::regrole
"""
_ROLES = """
SELECT quote_ident(rolname), has_schema_privilege(oid, current_schema(), 'USAGE') FROM pg_roles WHERE rolname = ?
"""


def duties(options: t.Mapping[str, t.Any]) -> dict[str, Rights]:
    """Return the rights of every role that the options name. Raises Misconfigured for one with two duties."""
    found: dict[str, Rights] = {}
    for option, rights in DUTIES.items():
        for role in options.get(option) or ():
            if found.setdefault(role, rights) is not rights:
                raise Misconfigured(f"ledger_migrate: option {option}: role {role!r} has another duty; name it once")
    return found


def grants(session: Session, wanted: t.Mapping[str, Rights], *, is_made: bool, may_take: bool = True) -> list[str]:
    """Return the statements that give every role its rights, and, where that is ours to say, no others.

    Where nothing `is_made` yet, nobody has any.
    """
    found = [statement for role, rights in wanted.items() for statement in _of(session, role, rights, is_made=is_made)]
    return [statement for statement in found if may_take or not statement.startswith("REVOKE ")]


def _of(session: Session, role: str, rights: Rights, *, is_made: bool) -> t.Iterator[str]:
    found = session.execute(_ROLES, (role,)).fetchone()
    if found is None:
        raise Misconfigured(f"ledger: role {role!r} does not exist; let an administrator create it: CREATE ROLE, LOGIN")
    quoted, may_enter = found
    held: dict[str, set[str]] = {}
    for table, right in session.execute(_HELD, (quoted,)).fetchall() if is_made else ():
        held.setdefault(table, set()).add(right)
    if not may_enter:
        ((schema,),) = session.execute("SELECT quote_ident(current_schema())").fetchall()
        yield f"GRANT USAGE ON SCHEMA {schema} TO {quoted}"
    for table, wanted in rights.items():
        if surplus := sorted(held.get(table, set()) - wanted):
            yield f"REVOKE {', '.join(surplus)} ON {table} FROM {quoted}"
        if missing := sorted(wanted - held.get(table, set())):
            yield f"GRANT {', '.join(missing)} ON {table} TO {quoted}"
    for table in sorted(held.keys() - rights.keys()):
        if table in CONVERGER:
            yield f"REVOKE ALL ON {table} FROM {quoted}"
