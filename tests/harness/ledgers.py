# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A ledger in each database that one can be kept in, for tests that say the same of all."""

from __future__ import annotations

import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness.postgres import ADMIN, Server

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.ledger import SqlLedger

LEDGERS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgres"))]


class Place:
    """Where a ledger is kept: how a task names it, and a way to it past all of our code."""

    options: t.Mapping[str, t.Any]

    def open(self, *, read_only: bool = False) -> SqlLedger:
        """Open the ledger."""
        return open_for(self.options, read_only=read_only)

    def read(self, statement: str) -> list[tuple[t.Any, ...]]:
        """Ask the ledger, whose chain of events must be whole."""
        ledger = self.open(read_only=True)
        try:
            assert verify(ledger) is None
            return ledger.read(statement)
        finally:
            ledger.close()

    def tamper(self, *statements: str) -> None:
        """Change what is there, as somebody with all rights could."""
        raise NotImplementedError


class InFile(Place):
    """A file of SQLite, made by whoever opens it first."""

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self.path = path
        self.options = {"ledger": f"sqlite:///{path}"}

    def tamper(self, *statements: str) -> None:
        """Open the file beside us."""
        with sqlite3.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()


class InDatabase(Place):
    """A database of PostgreSQL with a ledger, opened with the rights of whoever converges."""

    def __init__(self, server: Server) -> None:
        """Make it."""
        self.server, self.name = server, server.ledger()
        self.options = server.options(self.name)

    def tamper(self, *statements: str) -> None:
        """Be the administrator."""
        self.server.told(self.name, ADMIN, *statements)


@pytest.fixture
def ledger(place: Place) -> t.Iterator[SqlLedger]:
    """Return a new ledger, whose chain must be whole in the end."""
    opened = place.open()
    yield opened
    assert verify(opened) is None
    opened.close()


@pytest.fixture(params=LEDGERS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return where a new ledger is kept."""
    if request.param == "sqlite":
        return InFile(tmp_path / "ledger.sqlite")
    return InDatabase(request.getfixturevalue("postgres_server"))
