# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""One deadline for a whole call from a host: timeouts of a socket begin anew with each byte."""

from __future__ import annotations

import queue
import threading
import typing as t

T = t.TypeVar("T")


def within(seconds: float, work: t.Callable[[], T]) -> T:
    """Return what the work returns, or raise what it raises; TimeoutError after `seconds`: its thread is given up."""
    answer: queue.SimpleQueue[tuple[t.Any, BaseException | None]] = queue.SimpleQueue()

    def tried() -> None:
        try:
            answer.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answer.put((None, error))

    threading.Thread(target=tried, daemon=True).start()
    try:
        value, error = answer.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return t.cast("T", value)
