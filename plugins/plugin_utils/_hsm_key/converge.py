# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look, decide, act, look again, for one key in a token: one execution there, and another where something is done."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ...module_utils._core.errors import NotConverged
from .._actor import actor, holder
from .._host_half import HostHalf
from .._ledger.port import Batch
from .._ledger.registry import open_for
from .._policy.bare_key import Bare, Standing, bare_key, check_extractable
from .._policy.load import load
from .._policy.review import Review
from .asking import of_host
from .decide import chosen, decide
from .record import Journal, gone, kept, known_of, place_of, with_users
from .report import Outcome, report
from .rotated import active
from .wanted import WHO, Wanted, wanted

if t.TYPE_CHECKING:
    from ...module_utils._core.held import Held, Seen
    from ...module_utils._core.model import Step
    from .._action import Task
    from .._ledger.chain import Readable
    from .._ledger.port import Ledger
    from .._policy.policy import Policy
    from .decide import Known

_ACTS = ("stage_key", "destroy")


def converge(args: t.Mapping[str, t.Any], task: Task) -> dict[str, t.Any]:
    """Bring one key to what validated options declare; return what the task returns. Raises KeysteadError."""
    declared = wanted(args)
    policy = load(args["policy"], datetime.now(UTC))
    if declared.present:
        candidate = bare_key(Bare(declared.name, declared.made_as, extractable=declared.extractable), task)
        check_extractable(policy, candidate)
        if declared.type is not None or declared.extractable:  # else a key that is there may be of another type
            Review(policy, [candidate])
    ledger = open_for(args, read_only=task.check)
    try:
        return _Run(declared, args["pin"], task, ledger, policy).done()
    finally:
        ledger.close()


class _Run:
    """One run over one key."""

    def __init__(self, declared: Wanted, pin: str | None, task: Task, ledger: Ledger, policy: Policy) -> None:
        self.wanted, self.task, self.ledger, self.policy = declared, task, ledger, policy
        self.now = datetime.now(UTC)
        self.warnings: list[str] = []
        self.others: tuple[Held, ...] = ()
        half = HostHalf(task.execute, "", task.host, ledger.id, holder(), self.warnings)
        self._ask = of_host(half, pin, self.now)

    def done(self) -> dict[str, t.Any]:
        """Run, and report."""
        foreseen = self.wanted.made_as if self.wanted.present and self.wanted.label is not None else None
        everything = self._ask(self.wanted.errand("look", type=foreseen))
        self.wanted, seen, self.others = active(t.cast("Readable", self.ledger), self.wanted, everything)
        key = chosen(self.wanted, seen)
        if self.wanted.present:
            self._review(key)
        batch = Batch(self.task.host, place_of(seen), actor(self.task.playbook), self.now)
        known = known_of(self.ledger, self.wanted, key, everything, batch)
        if not self.wanted.present:
            known = with_users(self.ledger, known, self.others, batch)
        steps = decide(self.wanted, key, seen, known)
        after = key
        if steps and not self.task.check:
            journal = Journal(self.ledger, batch, self.wanted.name)
            after = self._act(steps[0], key, seen, known, journal)
        outcome = Outcome(self.wanted, seen, steps, key, after, known)
        return report(outcome, self.task, self.warnings)

    def _review(self, key: Held | None) -> None:
        """Judge what will be there: a key that is found may be of another type than one that would be made."""
        key_type = key.type if key else self.wanted.made_as
        candidate = bare_key(Bare(self.wanted.name, key_type, extractable=self.wanted.extractable), self.task)
        self.warnings += Review(self.policy, [candidate]).settle(Standing(is_there=key is not None))

    def _act(self, step: Step, key: Held | None, seen: Seen, known: Known, journal: Journal) -> Held | None:
        """Do what there is to do, and return the key that is there then."""
        stale = gone(known.stale)
        if step.action not in _ACTS or (key is not None and key.usable and step.action == "stage_key"):
            there = (kept(key, seen, made=known.is_ours),) if key and step.action != "withdraw" else ()
            journal.note(step, (*stale, *there))
            return key
        with journal.around(step) as changes:
            changes.extend(stale)
            if key is not None:
                doomed = (key.uri, *(one.uri for one in self.others))
                self._ask(self.wanted.errand("destroy", type=key.type, doomed=doomed))
            if step.action == "destroy" and key is not None:
                of_others = (kept(key, seen, made=False),) if known.users else ()  # so that it is known to be destroyed
                changes.extend((*of_others, *gone(doomed)))
                return None
            made = self._made()
            changes.append(kept(*made, made=True))
            return made[0]

    def _made(self) -> tuple[Held, Seen]:
        """Make the key, and see that it is as it is declared."""
        key_type, extractable = self.wanted.made_as, self.wanted.extractable
        usage = self.wanted.used_for(key_type)
        seen = self._ask(self.wanted.errand("make", type=key_type, usage=usage, extractable=extractable))
        key = chosen(self.wanted, seen)
        if key is None or key.type != key_type:
            raise NotConverged(f"{WHO}: the key with {self.wanted.called} was made, and is not there; run again")
        return key, seen
