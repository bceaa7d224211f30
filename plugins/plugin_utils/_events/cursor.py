# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was told already, in a small SQLite file that outlives a loss of power; one event source at a time has it."""

from __future__ import annotations

import contextlib
import sqlite3
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Denied, Misconfigured, Unavailable
from .._private_file import make
from .due import Told

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterator

WHO = "identity_events"
FORMAT = "keystead.identity.events/1"
_OPTION = f"{WHO}: option cursor"
_OF_META = "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
_OF_TOLD = """
CREATE TABLE IF NOT EXISTS told (
    base TEXT PRIMARY KEY, times INTEGER NOT NULL, at TEXT NOT NULL, in_doubt INTEGER NOT NULL
)
"""
_OFFERED = """
INSERT INTO told (base, times, at, in_doubt) VALUES (?, 0, ?, 1)
ON CONFLICT (base) DO UPDATE SET at = excluded.at, in_doubt = 1
"""
_TOLD = "UPDATE told SET times = times + 1, in_doubt = 0 WHERE base = ?"
_META = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class Place(t.NamedTuple):
    """How far the record of the ledger was read: drift up to event `seq`, and the last event that was whole."""

    seq: int = 0
    whole: int = 0
    hash: str = ""


class Cursor:
    """The file, opened for one event source alone. Every method that writes is durable when it returns."""

    def __init__(self, path: str) -> None:
        """Open or make the file. Raises KeysteadError."""
        self._path = Path(path)
        self._connection = self._opened()

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def bind(self, ledger: str, seq: int) -> None:
        """Belong to a ledger, from event `seq` of its record on where it is new. Raises Denied for another one's."""
        mine = self._meta("ledger")
        if mine is None:
            with self._written():
                self._connection.execute(_META, ("ledger", ledger))
                self._connection.execute(_META, ("seq", str(seq)))
        elif mine != ledger:
            raise Denied(
                f"{_OPTION}: {self._path} is of ledger {mine}, and option ledger leads to {ledger}; give each ledger a "
                "cursor of its own, and find out who put another one in its place"
            )

    @property
    def place(self) -> Place | None:
        """How far it was read; None where it belongs to no ledger yet."""
        seq = self._meta("seq")
        return None if seq is None else Place(int(seq), int(self._meta("whole") or 0), self._meta("hash") or "")

    def moved(self, place: Place) -> None:
        """Write down how far it was read."""
        with self._written():
            for name, value in place._asdict().items():
                self._connection.execute(_META, (name, str(value)))

    def told(self) -> dict[str, Told]:
        """Return what was told, by the names of events."""
        with self._edge():
            rows = self._connection.execute("SELECT base, times, at, in_doubt FROM told").fetchall()
        return {base: Told(times, at, bool(in_doubt)) for base, times, at, in_doubt in rows}

    def offer(self, base: str, at: str) -> None:
        """Write down that an event lies where it is taken from: from now on it may have been told."""
        with self._written():
            self._connection.execute(_OFFERED, (base, at))

    def taken(self, base: str) -> None:
        """Write down that it was taken."""
        with self._written():
            self._connection.execute(_TOLD, (base,))

    def forget(self, before: str, standing: Collection[str]) -> None:
        """Forget what was told before a moment and is not the case any more."""
        with self._written():
            rows = self._connection.execute("SELECT base FROM told WHERE at < ?", (before,)).fetchall()
            gone = [(base,) for (base,) in rows if base not in standing]
            self._connection.executemany("DELETE FROM told WHERE base = ?", gone)

    def _meta(self, key: str) -> str | None:
        with self._edge():
            row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _opened(self) -> sqlite3.Connection:
        make(self._path, _OPTION)
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        try:
            with self._edge():
                self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Take the file for ourselves, until it is closed, and make its tables where it is new."""
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute(_OF_META)
        connection.execute(_OF_TOLD)
        connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('format', ?)", (FORMAT,))
        ((found,),) = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchall()
        connection.execute("COMMIT")
        if found != FORMAT:
            raise Misconfigured(f"{_OPTION}: {self._path} was written by another release; name another file")

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        with self._edge():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _edge(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Misconfigured(
                    f"{_OPTION}: another event source has {self._path}; give each a cursor of its own"
                ) from None
            raise Unavailable(f"{_OPTION}: {self._path} cannot be used ({error}); see its disk") from None
        except sqlite3.DatabaseError:
            raise Misconfigured(
                f"{_OPTION}: {self._path} is no cursor, or is damaged; name another file: then all that is the case "
                "is told once more"
            ) from None
