# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real PostgreSQL on the loopback interface, below a directory of its own, with TLS and passwords.

PostgreSQL refuses to run as root; then it runs as the user `postgres` of its package.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.upkeep import migrated

USER = "postgres"
ADMIN = "admin"
MIGRATOR, CONVERGER, AUDITOR, SIGNER = "migrator", "converger", "auditor", "signer"
PASSWORDS = {role: f"of-the-{role}" for role in (ADMIN, MIGRATOR, CONVERGER, AUDITOR, SIGNER)}
_NEEDED = ("initdb", "pg_ctl", "postgres")


@functools.cache
def programs() -> Path | None:
    """Return the directory with initdb and pg_ctl, which Debian keeps out of PATH; None where there is no server."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    places = [*sorted(versions, reverse=True), *map(Path, os.environ.get("PATH", "").split(os.pathsep))]
    return next((place for place in places if all((place / name).is_file() for name in _NEEDED)), None)


@dataclass
class Server:
    """A server that runs, its CA, and an administrator's connection."""

    directory: Path
    port: int
    _numbers: t.Iterator[int] = field(default_factory=itertools.count)

    @property
    def ca(self) -> Path:
        """The file of the CA that signed the server's certificate, for localhost and 127.0.0.1."""
        return self.directory / "ca.pem"

    def url(self, database: str, role: str = CONVERGER, **parameters: t.Any) -> str:
        """Return the option `ledger`: TLS is verified."""
        said = {"sslmode": "verify-full", "sslrootcert": self.ca, **parameters}
        query = "&".join(f"{name}={value}" for name, value in said.items())
        return f"postgresql://{role}@localhost:{self.port}/{database}?{query}"

    def options(self, database: str, role: str = CONVERGER, **parameters: t.Any) -> dict[str, str]:
        """Return the options of a task whose ledger this is."""
        return {"ledger": self.url(database, role, **parameters), "ledger_password": PASSWORDS[role]}

    def admin(self, *statements: str, database: str = "postgres") -> list[tuple[t.Any, ...]]:
        """Let the administrator do something; return the rows of the last statement."""
        return self.told(database, ADMIN, *statements)

    def told(self, database: str, role: str, *statements: str) -> list[tuple[t.Any, ...]]:
        """Let a role say something to a database, past all of our code; return the rows of the last statement."""
        import psycopg

        with psycopg.connect(self.url(database, role), password=PASSWORDS[role], autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(t.cast("t.LiteralString", statement))
            return cursor.fetchall() if cursor.description else []

    def database(self) -> str:
        """Make an empty database that the migrator owns, and return its name."""
        name = f"ledger{next(self._numbers)}"
        self.admin(f"CREATE DATABASE {name} OWNER {MIGRATOR}")
        return name

    def ledger(self) -> str:
        """Make a database with a ledger, and the grants that it ships with; return its name."""
        name = self.database()
        duties = {"convergers": [CONVERGER], "auditors": [AUDITOR], "signers": [SIGNER]}
        migrated({**self.options(name, MIGRATOR), **duties}, check=False)
        return name

    def stop(self) -> None:
        """Stop at once, and wait until it is gone."""
        _run("pg_ctl", "-D", self.directory / "data", "-m", "immediate", "-w", "stop")

    def start(self) -> None:
        """Start, and wait until it answers."""
        _run("pg_ctl", "-D", self.directory / "data", "-w", "-l", self.directory / "log", "start")


@contextlib.contextmanager
def postgres() -> t.Iterator[Server]:
    """Start a server with the roles of a ledger; stop it and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="keystead-postgres-") as name:
        directory = Path(name)
        _give(directory)
        server = Server(directory, _free_port())
        _initialise(server)
        server.start()
        try:
            for role in (MIGRATOR, CONVERGER, AUDITOR, SIGNER):
                server.admin(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORDS[role]}'")
            yield server
        finally:
            _run("pg_ctl", "-D", directory / "data", "-m", "immediate", "-w", "stop", check=False)


def _initialise(server: Server) -> None:
    directory, data = server.directory, server.directory / "data"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(server.ca)
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    key, chain, password = directory / "server.key", directory / "server.pem", directory / "password"
    leaf.private_key_pem.write_to_path(key)
    leaf.cert_chain_pems[0].write_to_path(chain)
    password.write_text(PASSWORDS[ADMIN])
    for path in (key, chain, password, server.ca):
        _give(path)
    key.chmod(0o600)
    server.ca.chmod(0o644)
    _run("initdb", "-D", data, "-U", ADMIN, "-A", "scram-sha-256", f"--pwfile={password}", "-N", "--locale=C.UTF-8")
    settings = {
        "listen_addresses": "127.0.0.1", "port": server.port, "unix_socket_directories": directory, "ssl": "on",
        "ssl_cert_file": chain, "ssl_key_file": key, "fsync": "off", "max_connections": 60,
    }  # fmt: skip
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


def _run(program: str, *arguments: object, check: bool = True) -> None:
    place = programs()
    assert place is not None
    command = [str(place / program), *map(str, arguments)]
    as_user: dict[str, t.Any] = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd="/",
        env=environment, timeout=60, text=True, **as_user,
    ) if program != "pg_ctl" else _detached(command, environment, as_user)  # fmt: skip
    assert not check or done.returncode == 0, done.stdout


def _detached(command: list[str], environment: dict[str, str], as_user: dict[str, t.Any]) -> t.Any:
    """Run pg_ctl with its output in a file: the server that it starts keeps what it inherits open."""
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            command, check=False, stdout=said, stderr=said, stdin=subprocess.DEVNULL, cwd="/", env=environment,
            timeout=60, **as_user,
        )  # fmt: skip
        said.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, said.read())


def _give(path: Path) -> None:
    """Give a path to the user whom the server runs as."""
    if os.geteuid() == 0:
        shutil.chown(path, USER, USER)
    if path.is_dir():
        path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
