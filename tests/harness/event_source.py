# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The event source in a process of its own, loaded by its path as a rule engine loads it, with a queue that holds one.

`python event_source.py FILE ARGUMENTS HEARD [END]`: what is taken from the queue is a line in HEARD, which is synced
before anything else happens. With END, the process kills itself at that moment: as it is about to write that an event
was offered (offer), or was taken (taken), or as soon as it has taken one (heard).
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import signal
import sys
import typing as t
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "extensions" / "eda" / "plugins" / "event_source" / "identity_events.py"
STATEMENTS = {"offer": "INSERT INTO told", "taken": "UPDATE told"}


def die() -> None:
    """End as by kill -9: nothing is flushed, closed or rolled back."""
    os.kill(os.getpid(), signal.SIGKILL)


def watch(statement: str) -> None:
    """Die when SQLite is about to run a statement that begins so."""
    import sqlite3

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *rest: t.Any) -> sqlite3.Cursor:
            if sql.lstrip().startswith(statement):
                die()
            return super().execute(sql, *rest)

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: connect(*args, **{**kwargs, "factory": Connection})  # type: ignore[assignment]


async def listen(queue: asyncio.Queue[t.Any], file: t.TextIO, end: str | None) -> None:
    """Take what comes, one at a time, as a rule engine does."""
    while True:
        file.write(json.dumps(await queue.get()) + "\n")
        file.flush()
        os.fsync(file.fileno())
        if end == "heard":
            die()


async def serve(path: str, args: dict[str, t.Any], heard: t.TextIO, end: str | None) -> None:
    """Run the source, and take what it puts, until it is over."""
    queue: asyncio.Queue[t.Any] = asyncio.Queue(1)
    source = asyncio.create_task(runpy.run_path(path)["main"](queue, args))
    ended, _pending = await asyncio.wait(
        {source, asyncio.create_task(listen(queue, heard, end))}, return_when=asyncio.FIRST_COMPLETED
    )
    for one in ended:
        one.result()


if __name__ == "__main__":
    _program, where, arguments, into, *how = sys.argv
    if how and how[0] in STATEMENTS:
        watch(STATEMENTS[how[0]])
    with Path(into).open("a", encoding="utf-8") as lines:
        asyncio.run(serve(where, json.loads(arguments), lines, how[0] if how else None))
