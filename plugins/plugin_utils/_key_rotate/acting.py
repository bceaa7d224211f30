# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is decided of one key by itself is done: told to the ledger first, done in the backend, and told again (A1)."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import NotConverged
from ...module_utils._core.keys import public_pem
from ...module_utils._core.model import Step
from .._ledger.nouns import KeyPrepared
from .._ledger.port import Held, KeyGone, KeyKept
from .decide import WHO, Plan
from .model import Act, Known, There

if t.TYPE_CHECKING:
    from .._ledger.port import KeyChange
    from .claim import Claim
    from .model import Keys, Version
    from .wanted import Wanted

_RECORDS = ("withdraw", "adopt")


class Seen(t.NamedTuple):
    """What a look at one key found, and what is to be done."""

    there: There
    known: Known
    plan: Plan


class Acting:
    """What is done to one key, and what came of it so far."""

    def __init__(self, declared: Wanted, keys: Keys, seen: Seen, claim: Claim) -> None:
        """Take what is to be done by the run that has the key."""
        self.wanted, self.keys, self.seen, self._claim = declared, keys, seen, claim
        self.done: list[Act] = []
        self._made: Version | None = None

    def act(self) -> None:
        """Do it all. Raises KeysteadError; `done` is what was done until then."""
        for act in self.seen.plan.acts:
            step = Step(act.action, act.reason, str(act.number))
            if act.action in _RECORDS:
                self._claim.journal.note(step, [self._claim.again, self._change(act)], act.number)
            else:
                self._do(act, step)
            self.done.append(act)

    def _do(self, act: Act, step: Step) -> None:
        try:
            with self._claim.journal.around(step, act.number, [self._claim.again]) as changes:
                changes.extend(self._came_of(act))
        except NotConverged as error:
            if act.action != "prove" or not self.seen.there.one_by_one:
                raise
            self._roll_back(act, error)
        except Held:
            if act.action == "stage_key" and self._made is not None and self.seen.there.leads is None:
                self._take_back(self._made)
            raise

    def _take_back(self, made: Version) -> None:
        """Destroy what was made while another run took over and made its own: one label would be that of two keys.

        Where that one has none, it goes on with this one, or the next run does.
        """
        if not self._claim.is_of_another(made.number, made.uri):
            return
        why = f"another run took over while generation {made.number} was made, and has one of its own"
        step = Step("roll_back", why, str(made.number))
        with self._claim.journal.around(step, made.number):
            self.keys.destroy(made)
        self.done.append(Act("roll_back", why, made.number))

    def _roll_back(self, act: Act, error: NotConverged) -> t.NoReturn:
        """Destroy again what is no use. Raises NotConverged."""
        why = f"it does not do what it is for, so generation {self.seen.plan.active.number} stays the active one"
        version = self._meant(act)
        step = Step("roll_back", why, str(act.number))
        with self._claim.journal.around(step, act.number, [self._claim.again]) as changes:
            self.keys.destroy(version)
            changes.append(KeyGone(version.uri))
        self.done.append(Act("roll_back", why, act.number))
        called = self.seen.there.called
        raise NotConverged(f"{error}; it is destroyed again, and {called} is as it was") from None

    def _meant(self, act: Act) -> Version:
        """Return which generation an act is about. Raises NotConverged."""
        found = self.seen.there.at(act.uri) if act.uri else self._made
        if found is None:
            raise NotConverged(f"{WHO}: {self.seen.there.called}: generation {act.number} is gone; run again")
        return found

    def _came_of(self, act: Act) -> t.Iterator[KeyChange]:
        """Do one act in the backend, and yield what the ledger is told once it is done."""
        if act.action == "stage_key":
            self._made = self.keys.make(act.number, self.seen.plan.active)
            yield self._claim.again  # a key was made beside another one's, where this run is no longer at work
            yield self._prepared(act.number, self._made)
            return
        version = self._meant(act)
        {"prove": self.keys.prove, "activate": self.keys.lead, "destroy": self.keys.destroy}[act.action](version)
        if act.action == "prove" and version is not self._made:
            yield self._prepared(act.number, version)
        elif act.action == "destroy" or (act.action == "activate" and not self._is_recorded(version)):
            yield self._change(act)

    def _is_recorded(self, version: Version) -> bool:
        adopted = (act.uri for act in self.done if act.action == "adopt")
        return self.seen.known.of(version.uri) is not None or version.uri in adopted

    def _prepared(self, number: int, version: Version) -> KeyPrepared:
        place = self.seen.there.place
        return KeyPrepared(place, self.wanted.name, number, version.uri, version.public_id)

    def _change(self, act: Act) -> KeyChange:
        """Return what the ledger is told of an act."""
        if act.action in ("withdraw", "destroy"):
            return KeyGone(act.uri)
        version = self._meant(act)
        return KeyKept(
            uri=version.uri,
            place=self.seen.there.place,
            label=self.wanted.name,
            key_type=version.type,
            made=self._made is version or self.seen.known.awaits(version),
            public_id=version.public_id,
            public_key=None if version.public_key is None else public_pem(version.public_key),
            backend=self.wanted.backend,
        )
