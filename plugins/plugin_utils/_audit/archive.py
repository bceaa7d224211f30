# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Moves old events out of the ledger into a file that proves itself; what stays is proved by a checkpoint."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...module_utils._core.errors import Misconfigured, Pending
from .._actor import actor
from .._durations import seconds
from .._ledger import chain, writing
from .._ledger.moments import now, stamp
from .._ledger.port import Batch, Event
from .._ledger.registry import open_to
from .._ledger.walk import Point
from . import copy, files, records
from .checkpoint import WHO
from .records import signed

if t.TYPE_CHECKING:
    from .._ledger.chain import Readable

SHORTEST = 90 * 86400
"""Seconds that events stay: runs that go on with what others began look back that far at most."""
_OLD = """
SELECT max(c.seq) FROM checkpoints c WHERE c.seq > ? AND c.seq < (SELECT max(seq) FROM events)
AND NOT EXISTS (SELECT 1 FROM heads h WHERE h.seq <= c.seq AND h.at >= ?)
"""
"""Everything up to there is old. The last event stays: what comes next follows it."""


class Archive(t.NamedTuple):
    """What is to be moved: the events from `first` to `last`, into a file."""

    first: int
    last: int
    path: Path

    @property
    def reason(self) -> str:
        """Why, as the user reads it."""
        return f"events {self.first} to {self.last} are old enough to leave the ledger"


class Mover(t.NamedTuple):
    """Who moves events: the options of the task, its playbook, and the key that signs."""

    options: t.Mapping[str, t.Any]
    playbook: str | None
    key: t.Any


def check(options: t.Mapping[str, t.Any]) -> None:
    """Raise Misconfigured where the options of a task do not say how to archive."""
    if options["archive"]:
        _kept(options["archive"])
        if not options["key"]:
            raise Misconfigured(
                f"{WHO}: option archive needs key: a checkpoint has to say from where on the ledger goes; add it"
            )


def _kept(options: t.Mapping[str, t.Any]) -> int:
    try:
        keep = seconds(options["keep"])
    except Misconfigured as error:
        raise Misconfigured(f"{WHO}: option archive.keep: {error}") from None
    if keep < SHORTEST:
        raise Misconfigured(
            f"{WHO}: option archive.keep: {options['keep']} is too short, since runs go by what happened lately; write "
            "90d or more"
        )
    return keep


def planned(ledger: Readable, options: t.Mapping[str, t.Any] | None) -> Archive | None:
    """Return what is old enough, and covered by a checkpoint. Raises Misconfigured."""
    if options is None:
        return None
    keep = _kept(options)
    start = records.start(ledger).seq
    ((last,),) = ledger.read(_OLD, (start, stamp(datetime.now(UTC) - timedelta(seconds=keep))))
    if last is None:
        return None
    name = f"{ledger.id}-{start + 1:012}-{last:012}.jsonl.gz"
    return Archive(start + 1, last, Path(options["directory"]) / name)


def move(ledger: Readable, wanted: Archive, setting: Mover) -> Point:
    """Write the file, read it again, and only then take the events out of the ledger; return the last event then.

    A checkpoint is signed in the same transaction: it alone says for others from where on the ledger goes.
    Raises KeysteadError, and Broken.
    """
    owned = open_to(writing.ARCHIVE, setting.options)
    try:
        last = files.write_copy(ledger, wanted.path, wanted.last)
        copy.read(wanted.path, lambda _ledger: {last.seq: (last.hash, "the ledger")})
        digest = files.digest(wanted.path)
        with owned.transaction() as connection:
            ((start,),) = connection.execute("SELECT coalesce(max(last), 0) FROM archives").fetchall()
            if start != wanted.first - 1:
                raise Pending(f"{WHO}: another run archives events of this ledger; run again")
            for table in ("events", "heads"):
                connection.execute(f"DELETE FROM {table} WHERE seq <= ?", (last.seq,))  # noqa: S608 - ours
            connection.execute(
                "INSERT INTO archives (first, last, hash, digest, name, archived_at) VALUES (?, ?, ?, ?, ?, ?)",
                (wanted.first, last.seq, last.hash, digest, wanted.path.name, now()),
            )
            told = Event("withdraw", wanted.reason, message=f"{wanted.path.name}, SHA-256 {digest}")
            batch = Batch("", "", actor(setting.playbook), datetime.now(UTC))
            chain.append(connection, batch, [("*", None, told)])
            newest = Point(*connection.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone())
            records.note_signed(connection, signed(str(ledger.id), newest, setting.key, archived=last.seq))
        return newest
    finally:
        owned.close()
