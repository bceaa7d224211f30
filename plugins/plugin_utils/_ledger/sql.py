# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger asks of a database, whichever it is. Statements are as SQLite reads them, with `?` for parameters."""

from __future__ import annotations

import contextlib
import typing as t

from ...module_utils._core.errors import Misconfigured
from .._edge import place_of

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Rows = list[tuple[t.Any, ...]]


class Cursor(t.Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> t.Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[t.Any]:
        """Return all rows."""


class Connection(t.Protocol):
    """A transaction that is open."""

    def execute(self, statement: str, parameters: Sequence[t.Any] = (), /) -> Cursor:
        """Execute one statement."""

    def executemany(self, statement: str, rows: Iterable[Sequence[t.Any]], /) -> object:
        """Execute one statement for every row."""


class Database(t.Protocol):
    """A connection that belongs to one process and one run."""

    def read(self, statement: str, parameters: tuple[t.Any, ...] = ()) -> Rows:
        """Return the rows of one statement."""

    def transaction(self) -> contextlib.AbstractContextManager[Connection]:
        """Write: everything inside or nothing. Nobody else writes meanwhile."""

    def edge(self) -> contextlib.AbstractContextManager[None]:
        """Turn what goes wrong inside into one sentence."""

    def close(self) -> None:
        """Close the connection."""


@contextlib.contextmanager
def as_released(place: object) -> Iterator[None]:
    """Take what a ledger holds for what releases wrote; what cannot be read as that is damage."""
    try:
        yield
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise Misconfigured(
            f"ledger: {place} holds what no release has written ({place_of(error)}); put a backup in its place"
        ) from error
