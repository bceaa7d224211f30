# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A PostgreSQL database: how it is opened, read and written, and the one edge where its errors become ours."""

from __future__ import annotations

import contextlib
import functools
import time
import typing as t

from ...module_utils._core.errors import Misconfigured
from . import dialect
from .postgresql_errors import BUSY, LOCK_SECONDS, connecting, working
from .sql import as_released

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    import psycopg

    from .sql import Cursor, Rows
    from .target import Target

ANSWER_SECONDS = 60.0
PAUSE = 0.2
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; "
    f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; SET LOCAL idle_in_transaction_session_timeout = '{LOCK_SECONDS}s'"
)
_TURN = f"; LOCK TABLE {dialect.TURN} IN EXCLUSIVE MODE"  # then each statement sees what those before us committed


def load() -> t.Any:
    """Return psycopg, or say what to install. It is loaded by whoever has a ledger in PostgreSQL, and nobody else."""
    try:
        import psycopg
    except ImportError as error:
        raise Misconfigured(
            "ledger: option ledger names PostgreSQL, and the Python library psycopg, or the libpq that it needs, is "
            "not installed on the controller; install psycopg[binary] beside ansible-core"
        ) from error
    return psycopg


class Session:
    """An open transaction, spoken to in the ledger's SQL."""

    def __init__(self, connection: psycopg.Connection[t.Any]) -> None:
        """Take the connection."""
        self.raw = connection

    def execute(self, statement: str, parameters: Sequence[t.Any] = (), /) -> Cursor:
        """Execute one statement."""
        return self.raw.execute(dialect.statement(statement), parameters or None)

    def executemany(self, statement: str, rows: Iterable[Sequence[t.Any]], /) -> None:
        """Execute one statement for every row, in one exchange."""
        with self.raw.cursor() as cursor:
            cursor.executemany(dialect.statement(statement), rows)


class PostgresDatabase:
    """A connection that belongs to one process and one run. With `read_only`, nothing is ever written."""

    def __init__(self, target: Target, password: str | None, *, read_only: bool = False) -> None:
        """Connect. Raises Misconfigured or Unavailable."""
        self.place, self._read_only = target.place, read_only
        self._connection = _connected(target, password)

    @contextlib.contextmanager
    def edge(self) -> Iterator[None]:
        """Turn what goes wrong inside into one sentence."""
        psycopg = load()
        try:
            with as_released(self.place):
                yield
        except psycopg.DataError as error:
            message = f"ledger: {self.place} cannot hold a text that it was given; look at contact, service and labels"
            raise Misconfigured(message) from error
        except psycopg.Error as error:
            raise working(self.place, error) from error

    def read(self, statement: str, parameters: tuple[t.Any, ...] = ()) -> Rows:
        """Return the rows of one statement."""
        with self.edge():
            return self._connection.execute(dialect.statement(statement), parameters or None).fetchall()

    def transaction(self) -> contextlib.AbstractContextManager[Session]:
        """Write: everything inside or nothing. Nobody else writes meanwhile, and whoever waits is served in turn."""
        return self.opened(_BEGIN + _TURN)

    @contextlib.contextmanager
    def opened(self, begin: str = _BEGIN) -> Iterator[Session]:
        """Open a transaction with these words; by default without taking the turn, which a new database lacks."""
        if self._read_only:
            raise Misconfigured(f"ledger: {self.place} was opened to read, and may not be written")
        with self.edge():
            try:
                self._connection.execute(begin)
                yield Session(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(load().Error):
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _connected(target: Target, password: str | None) -> psycopg.Connection[t.Any]:
    library = load()
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            made: psycopg.Connection[t.Any] = _connection_class().connect(
                **target.parameters, password=password, autocommit=True, cursor_factory=library.RawCursor
            )
        except library.Error as error:
            if time.monotonic() > until or not BUSY.search(str(error)):
                raise connecting(target.place, error) from error
            time.sleep(PAUSE)
        else:
            made.adapters.register_loader("json", library.types.string.TextLoader)  # SQLite gives text as well
            return made


@functools.cache
def _connection_class() -> t.Any:
    library = load()

    class Connection(library.Connection):  # type: ignore[misc, name-defined]
        """A connection whose server must answer within a time (T1)."""

        def wait(self, gen: t.Any, *args: t.Any, **keywords: t.Any) -> t.Any:
            try:
                return super().wait(_limited(gen, time.monotonic() + ANSWER_SECONDS), *args, **keywords)
            except TimeoutError as error:
                self.close()
                raise library.OperationalError(str(error)) from error

    return Connection


def _limited(waiting: Generator[t.Any, t.Any, t.Any], until: float) -> Generator[t.Any, t.Any, t.Any]:
    """Wait for as long as there is time; psycopg says now and then that nothing came."""
    try:
        asked = next(waiting)
        while True:
            ready = yield asked
            if not ready and time.monotonic() > until:
                raise TimeoutError(f"it gave no answer within {ANSWER_SECONDS:g} s")
            asked = waiting.send(ready)
    except StopIteration as ended:
        return ended.value
