# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One SQLite file: how it is opened, read and written, and the one edge where its errors become ours."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import typing as t
from urllib.parse import quote

from ...module_utils._core.errors import KeysteadError, Misconfigured, Unavailable, first_line
from .sql import as_released

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .sql import Rows

BUSY_SECONDS = 30.0
Stamp = tuple[int, int, int, bool]

_ALLOW = "let this user write the file and its directory, or set option ledger to another path"
_BY_CODE: dict[int, tuple[type[KeysteadError], str]] = {
    sqlite3.SQLITE_BUSY: (Unavailable, f"was locked by another run for {BUSY_SECONDS:.0f} s; run again"),
    sqlite3.SQLITE_LOCKED: (Unavailable, "is locked by another run; run again"),
    sqlite3.SQLITE_FULL: (Unavailable, "could not be written, its file system is full; free space there and run again"),
    sqlite3.SQLITE_IOERR: (Unavailable, "could not be read or written; look at its file system"),
    sqlite3.SQLITE_READONLY: (Misconfigured, f"may not be written; {_ALLOW}"),
    sqlite3.SQLITE_PERM: (Misconfigured, f"may not be opened; {_ALLOW}"),
    sqlite3.SQLITE_CANTOPEN: (Misconfigured, f"cannot be opened; {_ALLOW}"),
    sqlite3.SQLITE_NOTADB: (Misconfigured, "is not a ledger; restore it from a backup, or correct option ledger"),
    sqlite3.SQLITE_CORRUPT: (Misconfigured, "is damaged; put a backup in its place"),
}


def _translated(path: Path, error: sqlite3.Error) -> KeysteadError:
    if path.is_dir():
        return Misconfigured(f"ledger: {path} is a directory; set option ledger to a file in it")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    kind, text = _BY_CODE.get(code, (Unavailable, "did not do as it was told"))
    return kind(f"ledger: {path} {text} ({first_line(error)})")


@contextlib.contextmanager
def edge(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a ledger into one sentence; its content is what releases wrote, or it is damaged."""
    try:
        with as_released(path):
            yield
    except sqlite3.Error as error:
        raise _translated(path, error) from error
    except OSError as error:
        remedy = f"create the directory {path.parent} first" if isinstance(error, FileNotFoundError) else _ALLOW
        message = f"ledger: {path} cannot be used ({error.strerror}); {remedy}"
        raise Misconfigured(message) from error


def _connect(path: Path, parameters: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?{parameters}", uri=True, timeout=BUSY_SECONDS, isolation_level=None,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _state_of(path: Path) -> Stamp:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, os.path.exists(f"{path}-wal")  # noqa: PTH110 - hot path


class Database:
    """A connection that belongs to one process and one run."""

    def __init__(self, path: Path, connection: sqlite3.Connection, sealed: Stamp | None = None) -> None:
        """Take an open connection; `sealed` is how the file looked when it was opened without any locks."""
        self.path = path
        self._connection = connection
        self._sealed = sealed

    @classmethod
    def writable(cls, path: Path) -> Database:
        """Open for reading and writing; a file that is not there is made, 0600."""
        with edge(path), contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with edge(path):
            connection = _connect(path, "mode=rw")
            connection.execute("PRAGMA synchronous = FULL")
            return cls(path, connection)

    @classmethod
    def read_only(cls, path: Path) -> Database | None:
        """Open for reading, leaving no trace; None when there is no such file.

        Without a `-wal` beside it nobody has the file open, and it is read without locks: a read-only connection
        with locks would leave `-wal` and `-shm` behind. Should a writer come meanwhile, read() notices.
        """
        with edge(path):
            try:
                found = _state_of(path)
            except FileNotFoundError:
                return None
            if found[-1]:
                return cls(path, _connect(path, "mode=ro"))
            return cls(path, _connect(path, "mode=ro&immutable=1"), found)

    @classmethod
    def in_memory(cls, path: Path, source: Database | None = None) -> Database:
        """Make a copy of `source`, or an empty database, that is never written to `path`."""
        with edge(path):
            copy = sqlite3.connect(":memory:", isolation_level=None)
            if source:
                source.copy_to(copy)
            return cls(path, copy)

    def edge(self) -> contextlib.AbstractContextManager[None]:
        """Turn what goes wrong inside into one sentence."""
        return edge(self.path)

    def read(self, statement: str, parameters: tuple[t.Any, ...] = ()) -> Rows:
        """Return the rows of one statement."""
        with edge(self.path):
            try:
                rows = self._connection.execute(statement, parameters).fetchall()
            except sqlite3.DatabaseError:
                if not self._seal_is_broken():
                    raise
            else:
                if not self._seal_is_broken():
                    return rows
            self._connection.close()
            self._connection, self._sealed = _connect(self.path, "mode=ro"), None
            return self._connection.execute(statement, parameters).fetchall()

    def copy_to(self, target: sqlite3.Connection) -> None:
        """Copy everything into another database."""
        with edge(self.path):
            self._connection.backup(target)

    def _seal_is_broken(self) -> bool:
        return self._sealed is not None and self._sealed != _state_of(self.path)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write: everything inside or nothing. Nobody else writes meanwhile."""
        with edge(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def keep_write_ahead_log(self) -> None:
        """Switch to the write-ahead log, for good: readers never wait for the writer.

        SQLite does not wait by itself for others who do the same at this moment.
        """
        until = time.monotonic() + BUSY_SECONDS
        while (mode := self._journal_mode(until)) is None:
            time.sleep(0.01)
        if mode != "wal":
            message = f"ledger: {self.path} stands on a file system without shared memory; keep it on a local one"
            raise Misconfigured(message)

    def _journal_mode(self, until: float) -> str | None:
        with edge(self.path):
            try:
                return str(self._connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                return None

    def close(self) -> None:
        """Close the connection."""
        with edge(self.path):
            self._connection.close()
