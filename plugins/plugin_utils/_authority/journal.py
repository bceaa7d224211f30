# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is done to an authority, in the ledger: every step before the act, and how it ended (A1, A2)."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ...module_utils._core.errors import KeysteadError
from .._edge import unexpected
from .._ledger.port import Event, Outcome

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Step
    from .._ledger.port import Batch, Ledger

Journal = t.Callable[[t.Sequence["Step"]], t.ContextManager[object]]
"""What surrounds the act that these steps foresee."""


def journal(ledger: Ledger, batch: Batch, name: str) -> Journal:
    """Return what writes events about the authority `name`; the batch's store is the directory that it stands in.

    Every event that tells how an act ended bears the time that all of its steps took.
    """

    def tell(steps: t.Sequence[Step], outcome: str, message: str = "", seconds: float = 0.0) -> None:
        events = tuple(Event(step.action, step.reason, outcome, message, seconds) for step in steps)
        ledger.record(batch, [Outcome(name, None, events)])

    @contextlib.contextmanager
    def around(steps: t.Sequence[Step]) -> t.Iterator[None]:
        tell(steps, "pending")
        started = time.monotonic()
        try:
            yield
        except Exception as error:
            message = str(error) if isinstance(error, KeysteadError) else unexpected("local", error)
            tell(steps, "failed", message, time.monotonic() - started)
            raise
        tell(steps, "ok", "", time.monotonic() - started)

    return around
