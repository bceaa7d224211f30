# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who was told of which event, in a small SQLite file that outlives a loss of power."""

from __future__ import annotations

import contextlib
import sqlite3
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured, Unavailable
from .._private_file import make
from .receivers import WHO

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OPTION = f"{WHO}: option state"
_PATIENCE = 30.0
"""Seconds to wait for another run that is at work there."""
_TABLE = "CREATE TABLE IF NOT EXISTS sent (receiver TEXT, event TEXT, at TEXT, PRIMARY KEY (receiver, event))"


class Sent:
    """The file. What is written is durable when a method returns."""

    def __init__(self, path: str, *, read_only: bool) -> None:
        """Open or make the file; read-only, one that is not there is empty. Raises KeysteadError."""
        self._path = Path(path)
        if not read_only:
            make(self._path, _OPTION)
        where = str(self._path) if self._path.exists() else ":memory:"
        with self._edge():
            self._connection = sqlite3.connect(where, timeout=_PATIENCE, isolation_level=None)
            self._connection.execute("PRAGMA synchronous = EXTRA")
            if not read_only or where == ":memory:":
                self._connection.execute(_TABLE)

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other run out, which would send the same."""
        with self._edge():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            with self._edge():
                self._connection.execute("COMMIT")

    def lacks(self, receiver: str, event: str) -> bool:
        """Tell whether a receiver was not told of an event."""
        with self._edge():
            found = self._connection.execute("SELECT 1 FROM sent WHERE receiver = ? AND event = ?", (receiver, event))
            return found.fetchone() is None

    def note(self, receiver: str, events: Sequence[str], at: str) -> None:
        """Write down that a receiver was told."""
        with self._edge():
            rows = [(receiver, one, at) for one in events]
            self._connection.executemany("INSERT OR IGNORE INTO sent (receiver, event, at) VALUES (?, ?, ?)", rows)

    @contextlib.contextmanager
    def _edge(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise Unavailable(f"{_OPTION}: {self._path} cannot be used ({error}); run again") from None
        except sqlite3.DatabaseError:
            raise Misconfigured(
                f"{_OPTION}: {self._path} is no file of ours, or is damaged; name another one: then all is told anew"
            ) from None
