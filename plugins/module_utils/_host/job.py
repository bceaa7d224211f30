# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""One identity in phase `install`: what is to be done, what was done, and what went wrong."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .._core.errors import KeysteadError
from .._core.model import Done, Identity, Known, Step
from .._core.publication import is_copy

if t.TYPE_CHECKING:
    from .copy_before import Before
    from .place import Place


@dataclass
class Job:
    """The work on one identity. `number` and `parts` are there when a credential was issued.

    `original` is the id of the certificate that the controller recorded, where there is one to adopt. `key_uri` and
    `public_id` are those of the staged key where only the controller reaches it. `private_key` came down, in PEM.
    `before` is what stood in the place of the copies that were written, by path. An issuer that is still looking at
    what is shown here leaves it `waiting`.
    """

    wanted: Identity
    known: Known
    place: Place | None
    steps: tuple[Step, ...]
    lease: str | None = None
    number: int | None = None
    issuer_id: str = ""
    parts: t.Mapping[str, bytes] = field(default_factory=dict)
    original: str | None = None
    key_uri: str | None = None
    public_id: str | None = None
    private_key: bytes = field(default=b"", repr=False)
    waiting: bool = False
    done: list[Done] = field(default_factory=list)
    error: str | None = None
    before: dict[str, Before] = field(default_factory=dict)

    def of(self, action: str) -> tuple[Step, ...]:
        """Return the steps with this action, but those about copies."""
        return tuple(step for step in self.steps if step.action == action and not is_copy(step))

    def copies(self) -> tuple[Step, ...]:
        """Return the steps that write copies."""
        return tuple(step for step in self.steps if is_copy(step))

    def did(self, action: str) -> bool:
        """Tell whether a step with this action was tried."""
        return any(done.action == action for done in self.done)

    def record(self, step: Step, started: float, error: str | None = None) -> None:
        """Note that a step was tried; the first error is the identity's."""
        self.done.append(Done(step.action, step.reason, round(time.monotonic() - started, 4), error))
        self.error = self.error or error

    def guard(self, work: t.Callable[[], object]) -> bool:
        """Do what is no step of its own, and tell whether it went well; an error is the identity's."""
        try:
            work()
        except KeysteadError as error:
            self.error = self.error or str(error)
            return False
        return True

    def attempt(self, step: Step, work: t.Callable[[], object]) -> None:
        """Do the work of a step, unless an earlier one failed."""
        if self.error:
            return
        started = time.monotonic()
        try:
            work()
        except KeysteadError as error:
            self.record(step, started, str(error))
        else:
            self.record(step, started)
