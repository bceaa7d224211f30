# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look, decide, act, look again, for each of the keys that a task declares by themselves."""

from __future__ import annotations

import contextlib
import functools
import json
import typing as t
from datetime import UTC, datetime

from ansible.errors import AnsibleError

from ...module_utils._core.errors import KeysteadError
from ...module_utils._core.model import Step
from .._actor import actor, holder
from .._edge import unexpected
from .._host_half import HostHalf
from .._ledger.port import Batch
from .._ledger.registry import open_for
from .._policy.bare_key import Bare, Standing, bare_key, check_extractable
from .._policy.load import load
from .._policy.review import Review
from .._rotation import limits
from . import history
from .acting import Acting, Seen
from .alone import alone
from .claim import Claim
from .decide import WHO, decide
from .registry import BACKENDS, Reach
from .report import Outcome, result, unread
from .wanted import wanted

if t.TYPE_CHECKING:
    from .._action import Task
    from .._ledger.chain import Readable
    from .._ledger.port import Ledger
    from .._policy.policy import Policy
    from .._rotation import Limits
    from .decide import Plan
    from .model import Keys
    from .plan import Watch
    from .wanted import Wanted


def rotate(
    args: t.Mapping[str, t.Any], task: Task, now: datetime | None = None, watch: Watch | None = None
) -> dict[str, t.Any]:
    """Rotate the keys of validated options; return what the task returns. Raises KeysteadError."""
    now = now or datetime.now(UTC)
    if args["plan"] is not None and watch is None:
        from .plan import planned

        return planned(args, task, functools.partial(rotate, now=now))
    found = limits(args, now)
    declared = wanted(args["keys"], found)
    policy = load(args["policy"], now)
    warnings: list[str] = []
    ledger = open_for(args, read_only=task.check)
    try:
        half = HostHalf(task.execute, "", task.host, ledger.id, holder(), warnings)
        run = _Run(Setting(found, task, ledger, policy, Reach(half, now)), watch)
        outcomes = run.all(declared)
    finally:
        ledger.close()
    return result(outcomes, task, [*warnings, *run.warnings])


class Setting(t.NamedTuple):
    """What all keys of a task have in common."""

    limits: Limits
    task: Task
    ledger: Ledger
    policy: Policy
    reach: Reach


class _Run:
    """One run over the keys of a task."""

    def __init__(self, setting: Setting, watch: Watch | None) -> None:
        self.limits, self.task, self.ledger, self.policy, self.reach = setting
        self.watch = watch
        self.warnings: list[str] = []

    def all(self, declared: t.Sequence[Wanted]) -> list[Outcome]:
        """Return what became of all keys. With a plan, that is told to who watches."""
        batch = self._batch("")
        if self.watch:
            self.watch.begins(self.ledger, batch)
        outcomes = [self.told(one) for one in declared]
        if self.watch:
            self.watch.ended(self.ledger, batch, next((one.error for one in outcomes if one.error), None))
        return outcomes

    def _batch(self, place: str) -> Batch:
        return Batch(self.task.host, place, actor(self.task.playbook), self.limits.now)

    def told(self, declared: Wanted) -> Outcome:
        """Return what became of one key; an error of its own stops no other."""
        try:
            return self._done(declared)
        except KeysteadError as error:
            return unread(declared, str(error))
        except AnsibleError:  # such as that the host is unreachable
            raise
        except Exception as error:  # noqa: BLE001 - its text could hold anything
            return unread(declared, unexpected(WHO, error))

    def _done(self, declared: Wanted) -> Outcome:
        keys = BACKENDS[declared.backend](declared.options, self.reach)
        with contextlib.nullcontext() if self.task.check else alone(_name(declared, self.task.host)):
            seen = self._look(declared, keys)
            self._review(declared, seen.plan, keys)
            if self.task.check or not (seen.plan.acts or seen.plan.begins):
                return Outcome(declared, *seen, self.limits)
            claim = Claim(self.ledger, self._batch(seen.there.place), declared.name)
            for act in seen.plan.begins:
                claim.journal.begin(Step(act.action, act.reason, str(act.number)), act.number)
            if not seen.plan.acts:
                return Outcome(declared, *seen, self.limits)
            with claim.held():
                seen = self._as_it_is_now(declared, keys, seen)
                return self._acted(Acting(declared, keys, seen, claim))

    def _look(self, declared: Wanted, keys: Keys, *, after: bool = False) -> Seen:
        book = t.cast("Readable", self.ledger)
        there = keys.look(lambda place: history.history(book, place, declared.name))
        known = history.known(book, there, declared.name, self.limits.now)
        if declared.grace is not None:
            known = history.with_moments(book, known, self.limits.now)
        seen = Seen(there, known, decide(declared, there, known, self.limits))
        if self.watch and not after:
            self.watch.seen(declared, seen)
        return seen

    def _as_it_is_now(self, declared: Wanted, keys: Keys, seen: Seen) -> Seen:
        """Look once more where another run did something before this one was the only one at work."""
        now = history.history(t.cast("Readable", self.ledger), seen.there.place, declared.name)
        before = seen.known._replace(users=now.users, seen=None, agreed=None)
        return seen if now == before else self._look(declared, keys)

    def _acted(self, acting: Acting) -> Outcome:
        """Do what is to be done, and look again: nothing may be left but what is destroyed by a later run."""
        outcome = Outcome(acting.wanted, *acting.seen, self.limits)
        if not acting.seen.plan.acts:
            return outcome
        try:
            acting.act()
        except KeysteadError as error:
            return outcome._replace(done=tuple(acting.done), error=str(error))
        after = self._look(acting.wanted, acting.keys, after=True)
        left = next((act for act in after.plan.acts if act.action != "destroy"), None)
        still = f"{WHO}: {after.there.called}: it is done, and yet there is something to do:"
        return outcome._replace(
            after=after, done=tuple(acting.done), error=f"{still} {left.reason}" if left else None
        )

    def _review(self, declared: Wanted, plan: Plan, keys: Keys) -> None:
        """Judge what will be there: the next generation is like the active one."""
        makes = any(act.action == "stage_key" for act in plan.acts)
        may_come_out = getattr(keys, "is_extractable", lambda _one: False)(plan.active)
        bare = bare_key(Bare(declared.name, plan.active.type, declared.backend, may_come_out), self.task)
        if makes:
            check_extractable(self.policy, bare)
        self.warnings += Review(self.policy, [bare]).settle(Standing(is_there=not makes))


def _name(declared: Wanted, host: str) -> str:
    """Return what a key is called among all that this controller rotates; a token of a host is that host's."""
    options = {name: value for name, value in declared.options.items() if name not in ("auth", "pin", "timeout")}
    whose = host if options.get("at") == "host" else ""
    return json.dumps([declared.backend, whose, options], sort_keys=True, default=str)
