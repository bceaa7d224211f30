# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Looks again and again, and hands over what there is to tell: each event once, also after a restart.

An event is put on the queue, and in the same breath, before anybody can take it, the cursor says that it may have been
told. When it was taken the cursor says that it was told. So a process that is killed leaves at most one event in doubt;
that is told again, with its id and `redelivered`. What was told is not told again, and none is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import typing as t
from datetime import UTC, datetime, timedelta

from ...module_utils._core.errors import Pending, Unavailable
from .._ledger.moments import stamp
from .cursor import Cursor
from .due import due
from .event import base_of, body
from .look import look
from .options import given

if t.TYPE_CHECKING:
    from .due import Due
    from .options import Options

log = logging.getLogger("keystead.identity.identity_events")
REMEMBERED = timedelta(days=400)
"""How long it is remembered what was told and is not the case any more."""
_AT_MOST = 0.2
"""Seconds between two looks whether an event was taken."""


class Queue(t.Protocol):
    """What a source puts its events on: an asyncio.Queue, or what ansible-rulebook wraps around one."""

    async def put(self, data: t.Any) -> None:
        """Wait for room, and put an event there."""


async def run(queue: Queue, args: t.Mapping[str, t.Any]) -> None:
    """Be the event source. Raises KeysteadError for what somebody has to mend."""
    feedback = args.get("eda_feedback_queue")
    options = given({name: value for name, value in args.items() if name != "eda_feedback_queue"})
    with contextlib.closing(Cursor(options["cursor"])) as cursor:
        source = Source(queue, feedback, options, cursor)
        while True:
            await source.look()
            await asyncio.sleep(options["interval"])


class Source:
    """One event source at work."""

    def __init__(self, queue: Queue, feedback: asyncio.Queue[t.Any] | None, options: Options, cursor: Cursor) -> None:
        """Take the queue, and the one on which the rule engine says what it has kept, where there is one."""
        self._queue, self._feedback, self._options, self._cursor = queue, feedback, options, cursor
        self._audited: datetime | None = None

    async def look(self) -> None:
        """Look once, and tell what is new. What does not answer now is looked at later."""
        now = datetime.now(UTC)
        audit = self._audited is None or now - self._audited >= timedelta(seconds=self._options["audit"])
        try:
            seen = await asyncio.to_thread(look, self._options, self._cursor.place, now, audit=audit)
        except (Unavailable, Pending) as error:
            log.warning("%s", error)
            return
        self._audited = now if audit else self._audited
        self._cursor.bind(seen.ledger, seen.place.seq)
        for one in due(seen.events, self._cursor.told(), seen.ledger, now, self._options["remind"]):
            await self._tell(one, seen.ledger, now)
        if seen.place != self._cursor.place:
            self._cursor.moved(seen.place)
        if audit:
            standing = {base_of(one, seen.ledger) for one in seen.events}
            self._cursor.forget(stamp(now - REMEMBERED), standing)

    async def _tell(self, one: Due, ledger: str, now: datetime) -> None:
        said = body(one.event, ledger, stamp(now), one.reminder, redelivered=one.redelivered)
        await self._queue.put(said)
        self._cursor.offer(one.base, stamp(now))  # nobody else has run since it was put there
        await self._taken()
        self._cursor.taken(one.base)

    async def _taken(self) -> None:
        """Wait until the rule engine has the event: until it says so, or until it is no longer on the queue."""
        if self._feedback is not None:
            await self._feedback.get()
            return
        inner: t.Any = getattr(self._queue, "queue", self._queue)
        pause = 0.0
        while not inner.empty():
            await asyncio.sleep(pause)
            pause = min(_AT_MOST, pause * 2 or 0.001)
