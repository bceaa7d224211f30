# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What was written reaches the disk: one by one, or many at once.

A journalling file system commits for many waiting descriptors what it commits for one, so a batch takes about as long
as a single sync. Within `together`, nothing is synced until its end; the caller publishes nothing before that.
"""

from __future__ import annotations

import contextlib
import errno
import os
import typing as t

from .os_errors import explained, path_of

AT_ONCE = 8  # threads
WORTH_THREADS = 32  # descriptors
MOST_WAITING = 256


class _Batch:
    """Descriptors that wait, one for each file; the first error is kept for the end."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[int, int], int] = {}
        self.error: OSError | None = None
        self.path = ""

    def add(self, fd: int) -> None:
        facts = os.fstat(fd)
        if (facts.st_dev, facts.st_ino) not in self.waiting:
            self.waiting[facts.st_dev, facts.st_ino] = os.dup(fd)
        if len(self.waiting) >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        waiting = list(self.waiting.values())
        self.waiting = {}
        if len(waiting) < WORTH_THREADS:
            self._sync(waiting)
            return
        import threading

        workers = [threading.Thread(target=self._sync, args=(waiting[n::AT_ONCE],)) for n in range(AT_ONCE)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _sync(self, fds: t.Sequence[int]) -> None:
        for fd in fds:
            try:
                _fsync(fd)
            except OSError as error:
                self.error, self.path = error, path_of(".", fd)
            finally:
                os.close(fd)


_batch: _Batch | None = None


def sync(fd: int) -> None:
    """Sync a file or a directory now, or at the end of `together`. Raises OSError."""
    if _batch is None:
        _fsync(fd)
    else:
        _batch.add(fd)


@contextlib.contextmanager
def together() -> t.Iterator[None]:
    """Sync everything that is written inside at the end, all at once; raises a KeysteadError when that fails."""
    global _batch  # noqa: PLW0603 - the host's half is one thread with one batch
    batch = _batch = _Batch()
    try:
        yield
    finally:
        _batch = None
        batch.flush()
    if batch.error is not None:
        raise explained(batch.error, batch.path) from batch.error


def _fsync(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot sync a directory, and need not
            raise
