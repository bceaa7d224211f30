# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One deadline for a whole call: names, connection, handshake, and an answer that trickles in byte by byte.

Timeouts of a socket begin anew with each byte. So calls are made in a thread that can be given up: a process that
serves one task ends without waiting for it.
"""

from __future__ import annotations

import os
import queue
import threading
import typing as t

T = t.TypeVar("T")
_Work = t.Callable[[], t.Any]
_Job = tuple[_Work, "queue.SimpleQueue[tuple[t.Any, BaseException | None]]"]


class Worker:
    """Does one call after the other in a thread of its own, which begins with the first one of a process."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._jobs: queue.SimpleQueue[_Job | None] | None = None
        self._process = 0  # whose thread it is: no thread is there after a fork

    def within(self, seconds: float, work: t.Callable[[], T]) -> T:
        """Return what the work returns, or raise what it raises; TimeoutError after `seconds`. It is then given up."""
        if self._jobs is None or self._process != os.getpid():
            self._process = os.getpid()
            self._jobs = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(self._jobs,), daemon=True).start()
        answer: queue.SimpleQueue[tuple[t.Any, BaseException | None]] = queue.SimpleQueue()
        self._jobs.put((work, answer))
        try:
            value, error = answer.get(timeout=max(0.0, seconds))
        except queue.Empty:
            self.close()
            raise TimeoutError from None
        if error is not None:
            raise error
        return t.cast("T", value)

    def close(self) -> None:
        """Let the thread end after what it does now."""
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = None


def once(seconds: float, work: t.Callable[[], T]) -> T:
    """Do what `Worker.within` does, in a thread for this call alone."""
    worker = Worker()
    try:
        return worker.within(seconds, work)
    finally:
        worker.close()


def _serve(jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        work, answer = job
        try:
            answer.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answer.put((None, error))
        del job, work, answer
