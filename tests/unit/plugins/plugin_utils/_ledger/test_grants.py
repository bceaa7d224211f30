# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The rights that the ledger ships with: each is tried, by the role itself and past all of our code."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.grants import CONVERGER as CONVERGER_RIGHTS
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.nouns import (
    CredentialRevoked,
    KeyClaimed,
    KeyPrepared,
    ProvedAt,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Delivered, KeyKept, Outcome
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.upkeep import migrated
from ansible_collections.keystead.identity.tests.harness.postgres import ADMIN, AUDITOR, CONVERGER, MIGRATOR, SIGNER

from .telling import NOW, batch, intent, outcome

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.one_core]

TABLES = (
    "meta", "migrations", "identities", "generations", "x509", "deliveries", "heads", "events", "pins", "backend_keys",
    "key_runs", "prepared_keys", "endpoints", "revocations", "checkpoints", "shipments", "archives", "turn",
)  # fmt: skip
READABLE = TABLES[:-1]
GUIDE = Path(__file__).parents[5] / "docs" / "docsite" / "rst" / "ledger_postgresql.rst"


@pytest.fixture
def name(postgres_server: Server) -> str:
    made = postgres_server.ledger()
    ledger = open_for(postgres_server.options(made))
    ledger.intend(batch(), [intent()])
    ledger.record(batch(), [outcome()])
    ledger.record(batch(), [Outcome("web", 1, (), (Delivered(proved=True, endpoint=ProvedAt("192.0.2.7", 443)),))])
    gone = CredentialRevoked("cc", "aa", "4a", "local:issuing", NOW, "superseded", NOW)
    ledger.record(batch(), [Outcome("certificate cc", None, (), (gone,))])
    ledger.pin("a", ["11"])
    key = KeyKept("pkcs11:id=%01", "pkcs11:token=a", "a", "ed25519", made=True)
    at_work = KeyClaimed("pkcs11:token=a", "a", "{}")
    prepared = KeyPrepared("pkcs11:token=a", "a", 2, "pkcs11:id=%02")
    ledger.record(batch(), [Outcome("signing", changes=(at_work, key, prepared))])
    ledger.close()
    postgres_server.told(
        made, MIGRATOR,
        "INSERT INTO checkpoints VALUES (1, 'eyJ', 'PEM', '2026')",
        "INSERT INTO shipments VALUES (1, 'file x', '2026')",
        "INSERT INTO archives VALUES (0, 0, 'ff', 'ff', 'x', '2026')",
    )  # fmt: skip
    return made


def refused(server: Server, name: str, role: str, statement: str) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.told(name, role, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET reason = 'another'",
        "UPDATE events SET hash = hash WHERE seq = 1",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE heads SET hash = 'ff'",
        "DELETE FROM heads",
        "TRUNCATE heads",
        "UPDATE meta SET value = 'another'",
        "INSERT INTO meta VALUES ('a', 'b')",
        "DELETE FROM meta",
        "INSERT INTO migrations VALUES (99, 'mine', '')",
        "DELETE FROM identities",
        "DELETE FROM x509",
        "DELETE FROM deliveries",
        "TRUNCATE generations CASCADE",
        "UPDATE pins SET fingerprint = 'ff'",
        "DELETE FROM backend_keys",
        "INSERT INTO checkpoints VALUES (9, '', '', '')",
        "INSERT INTO shipments VALUES (9, '', '')",
        "DELETE FROM archives",
        "INSERT INTO turn DEFAULT VALUES",
        "CREATE TABLE events2 (seq BIGINT)",
        "ALTER TABLE events ADD COLUMN more TEXT",
        "DROP TABLE events",
        "CREATE RULE never AS ON INSERT TO events DO INSTEAD NOTHING",
        "CREATE TRIGGER never BEFORE INSERT ON events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        f"ALTER TABLE events OWNER TO {CONVERGER}",
        "SET session_replication_role = replica",
    ],
)
def test_what_a_converger_may_not_do_is_refused(postgres_server: Server, name: str, statement: str) -> None:
    refused(postgres_server, name, CONVERGER, statement)


@pytest.mark.parametrize("table", READABLE)
def test_an_auditor_reads_everything_and_writes_nothing(postgres_server: Server, name: str, table: str) -> None:
    assert postgres_server.told(name, AUDITOR, f"SELECT count(*) > 0 FROM {table}") == [(True,)]
    columns = postgres_server.told(
        name, ADMIN, f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
    )
    for statement in (
        f"INSERT INTO {table} DEFAULT VALUES",
        f"UPDATE {table} SET {columns[0][0]} = DEFAULT",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
        f"BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE",
    ):
        refused(postgres_server, name, AUDITOR, statement)


@pytest.mark.parametrize("table", [one for one in READABLE if one not in ("checkpoints", "shipments")])
def test_a_signer_reads_everything_and_writes_nothing_but_checkpoints(
    postgres_server: Server, name: str, table: str
) -> None:
    assert postgres_server.told(name, SIGNER, f"SELECT count(*) > 0 FROM {table}") == [(True,)]
    for statement in (f"INSERT INTO {table} DEFAULT VALUES", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        refused(postgres_server, name, SIGNER, statement)


def test_a_signer_adds_checkpoints_and_says_where_they_are(postgres_server: Server, name: str) -> None:
    postgres_server.told(name, SIGNER, "INSERT INTO checkpoints VALUES (2, '', '', '')")
    postgres_server.told(name, SIGNER, "INSERT INTO shipments VALUES (2, '', '')")
    refused(postgres_server, name, SIGNER, "DELETE FROM shipments")
    refused(postgres_server, name, SIGNER, "UPDATE checkpoints SET signed = ''")


def test_an_auditor_can_keep_nobody_from_writing(postgres_server: Server, name: str) -> None:
    for mode in ("ACCESS SHARE", "ROW SHARE", "EXCLUSIVE"):
        refused(postgres_server, name, AUDITOR, f"BEGIN; LOCK TABLE turn IN {mode} MODE")


def test_large_objects_are_nobodys_once_the_guides_statement_was_said(postgres_server: Server, name: str) -> None:
    assert postgres_server.told(name, CONVERGER, "SELECT lo_create(0) > 0") == [(True,)], "PostgreSQL's default"
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    postgres_server.admin(*[line for line in lines if "REVOKE EXECUTE" in line], database=name)
    for role in (CONVERGER, AUDITOR):
        for call in ("lo_create(0)", "lo_creat(-1)", "lo_from_bytea(0, 'x')"):
            refused(postgres_server, name, role, f"SELECT {call}")
    open_for(postgres_server.options(name)).close()


def test_a_converger_can_still_replace_trust_anchors(postgres_server: Server, name: str) -> None:
    ledger = open_for(postgres_server.options(name))
    ledger.pin("a", ["22"])
    assert ledger.pinned("a") == ("22",)
    ledger.close()


def test_every_table_of_the_schema_has_rights(postgres_server: Server, name: str) -> None:
    there = postgres_server.told(name, ADMIN, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {table for (table,) in there} == set(CONVERGER_RIGHTS) == set(TABLES)


def test_the_tables_belong_to_the_migrator_and_nobody_else_has_any_right(postgres_server: Server, name: str) -> None:
    owners = postgres_server.told(
        name, ADMIN, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    )
    assert owners == [(MIGRATOR,)]
    postgres_server.admin("CREATE ROLE nobody", "GRANT nobody TO admin") if not _exists(postgres_server) else None
    for table in TABLES:
        rights = postgres_server.told(
            name, ADMIN, f"SELECT has_table_privilege('nobody', '{table}', 'SELECT, INSERT, UPDATE, DELETE')"
        )
        assert rights == [(False,)]


def _exists(server: Server) -> bool:
    return server.admin("SELECT count(*) FROM pg_roles WHERE rolname = 'nobody'") == [(1,)]


def test_a_second_time_there_is_nothing_to_grant_and_what_is_too_much_is_taken_back(
    postgres_server: Server, name: str
) -> None:
    options = {**postgres_server.options(name, MIGRATOR), "convergers": [CONVERGER], "auditors": [AUDITOR]}
    done = migrated(options, check=False)
    assert (done.changed, done.grants) == (False, ())
    postgres_server.told(name, MIGRATOR, f"GRANT UPDATE, DELETE ON events TO {CONVERGER}")
    postgres_server.told(name, MIGRATOR, f"REVOKE SELECT ON pins FROM {AUDITOR}")
    foreseen = migrated(options, check=True)
    assert foreseen.grants == (
        f"REVOKE DELETE, UPDATE ON events FROM {CONVERGER}", f"GRANT SELECT ON pins TO {AUDITOR}",
    )
    assert migrated(options, check=True) == foreseen
    assert migrated(options, check=False) == foreseen
    assert not migrated(options, check=False).changed
    refused(postgres_server, name, CONVERGER, "DELETE FROM events")


def test_a_role_that_becomes_an_auditor_loses_what_it_could_write(postgres_server: Server, name: str) -> None:
    migrated({**postgres_server.options(name, MIGRATOR), "auditors": [CONVERGER]}, check=False)
    refused(postgres_server, name, CONVERGER, "INSERT INTO events DEFAULT VALUES")
    refused(postgres_server, name, CONVERGER, "BEGIN; LOCK TABLE turn IN EXCLUSIVE MODE")
    assert postgres_server.told(name, CONVERGER, "SELECT count(*) FROM events") == [(3,)]


def test_a_role_with_two_duties_and_one_that_is_not_there_are_named(postgres_server: Server, name: str) -> None:
    options = postgres_server.options(name, MIGRATOR)
    with pytest.raises(Misconfigured, match=f"role '{AUDITOR}' has another duty"):
        migrated({**options, "convergers": [AUDITOR], "auditors": [AUDITOR]}, check=False)
    with pytest.raises(Misconfigured, match="role 'some\"body' does not exist; let an administrator create it"):
        migrated({**options, "convergers": ['some"body']}, check=False)
    with pytest.raises(Misconfigured, match="convergers is for PostgreSQL; an SQLite file knows no roles"):
        migrated({"ledger": "sqlite:////tmp/x", "convergers": ["x"]}, check=False)


def test_a_role_may_have_any_name(postgres_server: Server, name: str) -> None:
    odd = 'Odd "role"; --'
    quoted = '"Odd ""role""; --"'
    postgres_server.admin(f"CREATE ROLE {quoted}")
    options = {**postgres_server.options(name, MIGRATOR), "auditors": [odd]}
    assert f"GRANT SELECT ON events TO {quoted}" in migrated(options, check=False).grants
    assert not migrated(options, check=False).changed
    postgres_server.told(name, MIGRATOR, f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}")
    postgres_server.admin(f"DROP ROLE {quoted}")
