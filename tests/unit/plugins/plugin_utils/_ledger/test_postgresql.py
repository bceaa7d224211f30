# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a database of PostgreSQL is reached, what is said when it cannot be used, and that nothing is touched then."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import postgresql, postgresql_errors
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for, open_ledger
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.postgres import ADMIN, AUDITOR, CONVERGER, MIGRATOR, PASSWORDS

from .telling import batch, intent, outcome

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.one_core]

WHERE = ("web1", "/srv/store")
CANARY = "c4nary"


def write(options: t.Mapping[str, t.Any]) -> None:
    ledger = open_for(options)
    ledger.intend(batch(), [intent()])
    ledger.record(batch(), [outcome()])
    ledger.close()


def refusal(options: t.Mapping[str, t.Any], kind: type[Exception] = Misconfigured) -> str:
    with pytest.raises(kind) as refused:
        open_for(options)
    message = str(refused.value)
    assert message.startswith("ledger: ")
    assert CANARY not in message
    assert not any(password in message for password in PASSWORDS.values())
    assert len(message) < 480
    return message


def test_a_wrong_password_is_told_with_the_role_and_the_option(postgres_server: Server) -> None:
    name = postgres_server.ledger()
    message = refusal({**postgres_server.options(name), "ledger_password": CANARY})
    assert f"PostgreSQL database {name} on localhost:{postgres_server.port} does not let this role in" in message
    assert "ledger_password" in message
    assert "converger" in message


def test_a_password_is_read_from_a_file(postgres_server: Server, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORDS[CONVERGER] + "\n# its second line\n")
    url = postgres_server.url(postgres_server.ledger())
    write({"ledger": url, "ledger_password_file": str(file)})
    file.write_text("\n")
    assert "ledger_password_file is empty" in refusal({"ledger": url, "ledger_password_file": str(file)})
    file.write_bytes(b"\xff\xfe")
    assert "is no text in UTF-8" in refusal({"ledger": url, "ledger_password_file": str(file)})
    file.unlink()
    assert "No such file" in refusal({"ledger": url, "ledger_password_file": str(file)})


def test_without_the_option_libpq_finds_the_password_in_its_environment_or_its_file(
    postgres_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.url(postgres_server.ledger())
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    assert "no password supplied" in refusal({"ledger": url})
    monkeypatch.setenv("PGPASSWORD", PASSWORDS[CONVERGER])
    write({"ledger": url})
    monkeypatch.setenv("PGPASSWORD", CANARY)
    open_for({"ledger": url, "ledger_password": PASSWORDS[CONVERGER]}).close()
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pgpass").write_text(f"localhost:*:*:{CONVERGER}:{PASSWORDS[CONVERGER]}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    open_for({"ledger": url}).close()


def test_a_database_that_is_not_there_is_told_with_how_to_make_it(postgres_server: Server) -> None:
    message = refusal(postgres_server.options("nowhere"))
    assert "database nowhere on localhost" in message
    assert "create it" in message
    assert "keystead.identity.ledger_migrate" in message


@pytest.mark.parametrize("read_only", [True, False])
def test_a_database_without_a_ledger_is_told_with_how_to_make_one_and_left_alone(
    postgres_server: Server, *, read_only: bool
) -> None:
    name = postgres_server.database()
    with pytest.raises(Misconfigured, match=r"has no ledger in it; run the playbook .*\.ledger_migrate"):
        open_for(postgres_server.options(name), read_only=read_only)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert postgres_server.admin(tables, database=name) == [(0,)]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_newer_and_an_older_schema_are_refused_with_both_numbers(postgres_server: Server, *, read_only: bool) -> None:
    name = postgres_server.ledger()
    beyond = "UPDATE meta SET value = '99' WHERE key = 'usable_from'"
    postgres_server.admin("INSERT INTO migrations VALUES (99, 'of the future', '')", beyond, database=name)
    with pytest.raises(Misconfigured, match=r"has schema 99 .*99 or later, this release knows up to \d+; upgrade"):
        open_for(postgres_server.options(name), read_only=read_only)
    postgres_server.admin("UPDATE migrations SET number = number - 100", database=name)
    with pytest.raises(Misconfigured, match=r"has schema -1, this release needs \d+; run the playbook"):
        open_for(postgres_server.options(name), read_only=read_only)


def test_the_database_of_another_application_is_refused(postgres_server: Server) -> None:
    name = postgres_server.database()
    statements = ("CREATE TABLE migrations (id INTEGER)", "CREATE TABLE meta (key TEXT)")
    postgres_server.told(name, MIGRATOR, *statements, f"GRANT SELECT ON migrations, meta TO {CONVERGER}")
    assert "belongs to another application" in refusal(postgres_server.options(name))


def test_a_role_without_rights_is_told_whom_to_ask(postgres_server: Server) -> None:
    name = postgres_server.ledger()
    postgres_server.admin(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {CONVERGER}", database=name)
    assert "does not permit this; let its owner grant" in refusal(postgres_server.options(name))


def test_an_auditor_reads_and_what_would_be_written_is_refused_before_any_host_is_asked(
    postgres_server: Server, tmp_path: Path
) -> None:
    name = postgres_server.ledger()
    options, world = postgres_server.options(name, AUDITOR), World(tmp_path)
    ledger = open_for(options, read_only=True)
    assert ledger.remembered(*WHERE) == {}
    ledger.close()
    with pytest.raises(Misconfigured) as refused:
        world.converge([web()], **options)
    message = str(refused.value)
    assert f"database {name} on localhost" in message
    assert f"does not permit role {AUDITOR} to write (it lacks INSERT on events, UPDATE on identities," in message
    assert "let its owner grant this role what it needs, as keystead_ledger_convergers: run the playbook" in message
    assert "or name another role" in message
    assert (world.phases, world.store.exists()) == ([], False)
    assert world.converge([web()], check=True, **options)["changed"]


def test_a_copy_that_can_only_be_read_is_refused_before_any_host_is_asked(
    postgres_server: Server, tmp_path: Path
) -> None:
    name, world = postgres_server.ledger(), World(tmp_path)
    options = postgres_server.options(name)
    postgres_server.admin(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(Misconfigured, match="is a read-only copy; name the primary"):
        world.converge([web()], **options)
    assert world.phases == []
    open_for(options, read_only=True).close()


def test_a_server_that_is_not_there_is_told_and_so_is_one_that_nobody_can_find(postgres_server: Server) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"postgresql://127.0.0.1:{held.getsockname()[1]}/keystead"
        message = refusal({"ledger": url, "ledger_password": CANARY}, Unavailable)
    assert "cannot be reached; nothing was touched" in message
    assert "Connection refused" in message
    nobody = postgres_server.url("x").replace("localhost", "ledger.invalid")
    assert "cannot be found; look at the host" in refusal({"ledger": nobody, "ledger_password": CANARY})


@pytest.mark.parametrize(
    ("host", "parameters", "words"),
    [
        ("localhost", {"sslrootcert": "/nowhere/ca.pem"}, "root certificate file"),
        ("localhost", {"sslrootcert": "{other}"}, "certificate verify failed"),
        ("ledger-alias", {"hostaddr": "127.0.0.1"}, "does not match host name"),
    ],
    ids=["no CA", "another CA", "another name"],
)
def test_a_server_that_cannot_be_trusted_is_refused_before_it_hears_the_password(
    postgres_server: Server, tmp_path: Path, host: str, parameters: dict[str, str], words: str
) -> None:
    import trustme

    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    said = {name: value.replace("{other}", str(tmp_path / "other.pem")) for name, value in parameters.items()}
    options = postgres_server.options(postgres_server.ledger(), **said)
    message = refusal({**options, "ledger": options["ledger"].replace("@localhost", f"@{host}")})
    assert "cannot be trusted over TLS; name its CA with ?sslrootcert=/path" in message
    assert words in message


@pytest.mark.parametrize("mode", [None, "disable", "require"])
def test_by_default_another_machine_is_verified_whatever_the_environment_says(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch, mode: str | None
) -> None:
    if mode:
        monkeypatch.setenv("PGSSLMODE", mode)
    url = f"postgresql://{CONVERGER}@ledger-alias:{postgres_server.port}/x?hostaddr=127.0.0.1"
    message = refusal({"ledger": url, "ledger_password": CANARY})
    assert "cannot be trusted over TLS" in message


def test_a_ledger_that_another_run_keeps_locked_is_unavailable(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres_server.ledger()
    options = postgres_server.options(name)
    impatient = postgresql._BEGIN.replace("lock_timeout = '30s'", "lock_timeout = '0.1s'")
    monkeypatch.setattr(postgresql, "_BEGIN", impatient)
    other, ledger = postgresql.PostgresDatabase(*_target(options)), open_for(options)
    with other.opened("BEGIN; LOCK TABLE turn IN EXCLUSIVE MODE"):
        assert ledger.remembered(*WHERE) == {}
        with pytest.raises(Unavailable, match=f"was locked by another run for {postgresql_errors.LOCK_SECONDS} s"):
            ledger.intend(batch(), [intent()])
    ledger.intend(batch(), [intent()])
    ledger.close()
    other.close()


def _target(options: dict[str, str]) -> tuple[t.Any, str]:
    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.target import target_of

    return target_of(options["ledger"]), options["ledger_password"]


def test_a_connection_that_is_cut_is_unavailable_and_nothing_is_half_written(postgres_server: Server) -> None:
    name = postgres_server.ledger()
    ledger = open_for(postgres_server.options(name))
    ledger.intend(batch(), [intent()])
    postgres_server.admin(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with pytest.raises(Unavailable, match="was lost on the way; run again"):
        ledger.record(batch(), [outcome()])
    with pytest.raises(Unavailable):
        ledger.remembered(*WHERE)
    ledger.close()
    again = open_for(postgres_server.options(name))
    assert again.read("SELECT count(*) FROM events") == [(1,)]
    again.close()


def test_a_full_house_is_waited_for_and_then_told(postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    name = postgres_server.ledger()
    options = postgres_server.options(name)
    postgres_server.admin(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
    held = open_for(options)
    threading.Timer(0.5, held.close).start()
    write(options)
    held = open_for(options)
    monkeypatch.setattr(postgresql, "LOCK_SECONDS", 0.3)
    assert "takes no more connections; use fewer forks" in refusal(options, Unavailable)
    held.close()


def test_a_server_that_never_answers_is_given_up(postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    name = postgres_server.ledger()
    ledger = open_for(postgres_server.options(name))
    monkeypatch.setattr(postgresql, "ANSWER_SECONDS", 0.3)
    start = time.monotonic()
    with pytest.raises(Unavailable, match=r"was lost on the way; run again \(it gave no answer within 0\.3 s\)"):
        ledger.read("SELECT pg_sleep(60)")
    assert time.monotonic() - start < 30
    ledger.close()


def test_writing_to_a_ledger_opened_read_only_is_refused(postgres_server: Server) -> None:
    options = postgres_server.options(postgres_server.ledger())
    write(options)
    ledger = open_for(options, read_only=True)
    assert ledger.remembered(*WHERE)["web"].generation == 1
    with pytest.raises(Misconfigured, match="may not be written"):
        ledger.record(batch(), [outcome()])
    ledger.close()


def test_a_ledger_that_becomes_a_read_only_copy_is_named_as_one(postgres_server: Server) -> None:
    ledger = open_for(postgres_server.options(postgres_server.ledger()))
    ledger.read("SELECT set_config('default_transaction_read_only', 'on', false)")
    with pytest.raises(Misconfigured, match="is a read-only copy; name the primary"):
        ledger.intend(batch(), [intent()])
    ledger.close()


def test_a_text_that_no_postgresql_can_hold_is_told(postgres_server: Server) -> None:
    ledger = open_for(postgres_server.options(postgres_server.ledger()))
    with pytest.raises(Misconfigured, match="cannot hold a text that it was given"):
        ledger.intend(batch(), [intent()._replace(contact="team\0web")])
    ledger.close()


def test_the_password_stands_in_no_argument_of_a_process(postgres_server: Server) -> None:
    ledger = open_for(postgres_server.options(postgres_server.ledger()))
    listed = subprocess.run(["ps", "axeww"], check=True, capture_output=True, text=True).stdout
    assert "converger" in listed, "the server names the role: else this test would see nothing"
    assert PASSWORDS[CONVERGER] not in listed
    ledger.close()


def test_without_psycopg_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger\n"
        "try:\n    open_ledger('postgresql://ledger.example.org/keystead')\n"
        "except Exception as e:\n    print(type(e), e)"
    )
    env = {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env)
    assert "Misconfigured" in done.stdout
    assert "ledger: option ledger names PostgreSQL, and the Python library psycopg" in done.stdout
    assert "install psycopg[binary] beside ansible-core" in done.stdout


def test_the_ledger_sorts_by_bytes_whatever_the_locale_of_the_database(postgres_server: Server) -> None:
    name = postgres_server.ledger()
    collations = postgres_server.told(
        name,
        ADMIN,
        "SELECT DISTINCT collation_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'text'",
    )
    assert collations == [("C",)]


def test_an_url_may_be_without_parameters_where_the_server_is_on_this_machine(postgres_server: Server) -> None:
    name = postgres_server.ledger()
    url = f"postgres://{CONVERGER}@127.0.0.1:{postgres_server.port}/{name}"
    open_ledger(url, password=PASSWORDS[CONVERGER]).close()


@pytest.mark.parametrize("ledger", ["postgresql://ledger.example.org/keystead", "sqlite:////srv/ledger.sqlite", None])
def test_whoever_says_in_the_environment_that_the_ledger_is_in_postgresql_has_its_client_before_the_forks(
    ledger: str | None,
) -> None:
    env = {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]}
    env.pop("KEYSTEAD_LEDGER", None)
    env.update({"KEYSTEAD_LEDGER": ledger} if ledger else {})
    action = "ansible_collections.keystead.identity.plugins.action.machine_identity"
    command = [sys.executable, "-c", f"import sys, {action}; print('psycopg' in sys.modules)"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
    assert done.stdout.strip() == str(bool(ledger and ledger.startswith("postgresql")))
