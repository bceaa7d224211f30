# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is done to an authority, in the ledger: every step before the act, and how it ended (A1, A2)."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ...module_utils._core.errors import KeysteadError
from ...module_utils._core.keys import key_type_of, public_pem, spki
from .._edge import unexpected
from .._ledger.port import Event, KeyGone, KeyKept, Outcome
from .._ledger.queries import AUTHORITIES

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Step
    from .._ledger.port import Batch, KeyChange, Ledger
    from .store import Authority

Journal = t.Callable[[t.Sequence["Step"]], t.ContextManager[object]]
"""What surrounds the act that these steps foresee."""


def journal(ledger: Ledger, batch: Batch, name: str, find: t.Callable[[], Authority | None]) -> Journal:
    """Return what writes events about the authority `name`; the batch's store is the directory that it stands in.

    Every event that tells how an act ended bears the time that all of its steps took. `find` looks for the authority
    before the act and after it: a key of it in a custody is written down, so that nobody else takes that.
    """

    def tell(
        steps: t.Sequence[Step], outcome: str, message: str = "", seconds: float = 0.0,
        changes: tuple[KeyChange, ...] = (),
    ) -> None:
        events = tuple(Event(step.action, step.reason, outcome, message, seconds) for step in steps)
        ledger.record(batch, [Outcome(name, None, events, changes)])

    @contextlib.contextmanager
    def around(steps: t.Sequence[Step]) -> t.Iterator[None]:
        tell(steps, "pending")
        started, before = time.monotonic(), find()
        try:
            yield
        except Exception as error:
            message = str(error) if isinstance(error, KeysteadError) else unexpected("local", error)
            tell(steps, "failed", message, time.monotonic() - started)
            raise
        tell(steps, "ok", "", time.monotonic() - started, tuple(_key_changes(before, find())))

    return around


def _key_changes(before: Authority | None, after: Authority | None) -> t.Iterator[KeyChange]:
    """Yield what became of the key of an authority, where that is in no file."""
    if before and before.about.key_uri and after is None:
        yield KeyGone(before.about.key_uri)
    if after and after.about.key_uri:
        about, public_key = after.about, after.certificate.public_key()
        yield KeyKept(
            uri=after.about.key_uri,
            place=f"{AUTHORITIES}{about.path}",
            label=about.key_label,
            key_type=key_type_of(public_key),
            made=True,
            public_id=about.public_id,
            public_key=public_pem(spki(public_key)),
            backend=about.custody,
        )
