# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One run at a time is at work on a key, whoever's and wherever it is: the ledger says which one.

A lock of this machine is not known to another user, controller or container, which has the same ledger and token.
"""

from __future__ import annotations

import contextlib
import json
import time
import typing as t

from ...module_utils._core.errors import KeysteadError
from .._actor import holder, is_dead
from .._hsm_key.record import Journal
from .._ledger.key_runs import at_work
from .._ledger.nouns import KeyClaimed, KeyLeft
from .._ledger.port import Held, Outcome
from .decide import WHO
from .history import history

if t.TYPE_CHECKING:
    from .._ledger.chain import Readable
    from .._ledger.port import Batch, Ledger

PATIENCE = 120.0  # seconds
_PAUSE = 0.5


class Claim:
    """What one run has of one key, and writes of it."""

    def __init__(self, ledger: Ledger, batch: Batch, name: str) -> None:
        """Take the key of a name; the place of the batch is where it is."""
        self._ledger, self._batch, self._name = ledger, batch, name
        self.journal = Journal(ledger, batch, name, WHO)
        self._me = json.dumps(holder(), sort_keys=True)

    @property
    def again(self) -> KeyClaimed:
        """What a run tells before each act: that it is still at work. Where it was taken over since, it does not act.

        A run that was held up for too long is, also where the other one has ended by now.
        """
        return KeyClaimed(self._batch.store, self._name, self._me, goes_on=True)

    @contextlib.contextmanager
    def held(self) -> t.Iterator[None]:
        """Be the only one at work. Raises Held where another run is for too long."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._tell(self.again._replace(dead=self._dead(), goes_on=False))
                break
            except Held:
                if time.monotonic() > until:
                    raise
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            with contextlib.suppress(KeysteadError):  # it ends by itself
                self._tell(KeyLeft(self._batch.store, self._name, self._me))

    def is_of_another(self, number: int, uri: str) -> bool:
        """Tell whether the ledger has another key as the generation of a number: that of who took over."""
        known = history(t.cast("Readable", self._ledger), self._batch.store, self._name)
        uris = {one.uri for one in known.kept if one.number == number}
        uris.update(told[0] for at, told in known.prepared.items() if at == number)
        return bool(uris) and uri not in uris

    def _dead(self) -> str | None:
        """Return who is said to be at work, where that is a process of this controller that has ended."""
        other = at_work(t.cast("Readable", self._ledger), self._batch.store, self._name)
        return other if other is not None and is_dead(json.loads(other)) else None

    def _tell(self, change: KeyClaimed | KeyLeft) -> None:
        self._ledger.record(self._batch, [Outcome(self._name, None, (), (change,))])
