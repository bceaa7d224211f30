# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look, decide, act, look again, for each of the keys that a task declares by themselves."""

from __future__ import annotations

import contextlib
import json
import typing as t
from datetime import UTC, datetime

from ansible.errors import AnsibleError

from ...module_utils._core.errors import KeysteadError, NotConverged
from ...module_utils._core.keys import public_pem
from ...module_utils._core.model import Step
from .._actor import actor, holder
from .._edge import unexpected
from .._host_half import HostHalf
from .._hsm_key.record import Journal
from .._ledger.port import Batch, KeyGone, KeyKept
from .._ledger.registry import open_for
from .._policy.bare_key import Bare, Standing, bare_key, check_extractable
from .._policy.load import load
from .._policy.review import Review
from .._rotation import limits
from . import history
from .alone import alone
from .decide import WHO, decide
from .model import Act
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
    from .model import Keys, Known, There, Version
    from .wanted import Wanted

_RECORDS = ("withdraw", "adopt")


def rotate(args: t.Mapping[str, t.Any], task: Task, now: datetime | None = None) -> dict[str, t.Any]:
    """Rotate the keys of validated options; return what the task returns. Raises KeysteadError."""
    now = now or datetime.now(UTC)
    found = limits(args, now)
    declared = wanted(args["keys"], found)
    policy = load(args["policy"], now)
    warnings: list[str] = []
    ledger = open_for(args, read_only=task.check)
    try:
        half = HostHalf(task.execute, "", task.host, ledger.id, holder(), warnings)
        run = _Run(found, task, ledger, policy, Reach(half, now))
        records = [run.told(one) for one in declared]
    finally:
        ledger.close()
    return result(records, task, [*warnings, *run.warnings])


class _Run:
    """One run over the keys of a task."""

    def __init__(self, found: Limits, task: Task, ledger: Ledger, policy: Policy, reach: Reach) -> None:
        self.limits, self.task, self.ledger, self.policy, self.reach = found, task, ledger, policy, reach
        self.warnings: list[str] = []

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
            there, known = self._look(declared, keys)
            plan = decide(declared, there, known, self.limits)
            self._review(declared, plan, keys)
            outcome = Outcome(declared, there, known, plan, self.limits)
            if not plan.acts or self.task.check:
                return outcome
            doing = _Doing(declared, keys, there, known, plan)
            try:
                self._act(doing)
            except KeysteadError as error:
                return outcome._replace(done=tuple(doing.done), error=str(error))
            return self._settled(outcome, keys, doing.done)

    def _look(self, declared: Wanted, keys: Keys) -> tuple[There, Known]:
        book = t.cast("Readable", self.ledger)
        there = keys.look(lambda place: history.history(book, place, declared.name))
        return there, history.known(book, there, declared.name, self.limits.now)

    def _settled(self, outcome: Outcome, keys: Keys, done: t.Sequence[Act]) -> Outcome:
        """Look again: nothing may be left but what is destroyed by a later run."""
        there, known = self._look(outcome.wanted, keys)
        plan = decide(outcome.wanted, there, known, self.limits)
        left = next((act for act in plan.acts if act.action != "destroy"), None)
        error = f"{WHO}: {there.called}: it is done, and yet there is something to do: {left.reason}" if left else None
        return outcome._replace(after=(there, known, plan), done=tuple(done), error=error)

    def _review(self, declared: Wanted, plan: Plan, keys: Keys) -> None:
        """Judge what will be there: the next generation is like the active one."""
        makes = any(act.action == "stage_key" for act in plan.acts)
        may_come_out = getattr(keys, "is_extractable", lambda _one: False)(plan.active)
        bare = bare_key(Bare(declared.name, plan.active.type, declared.backend, may_come_out), self.task)
        if makes:
            check_extractable(self.policy, bare)
        self.warnings += Review(self.policy, [bare]).settle(Standing(is_there=not makes))

    def _act(self, doing: _Doing) -> None:
        batch = Batch(self.task.host, doing.there.place, actor(self.task.playbook), self.limits.now)
        journal = Journal(self.ledger, batch, doing.wanted.name, WHO)
        for act in doing.plan.acts:
            step = Step(act.action, act.reason, str(act.number))
            if act.action in _RECORDS:
                journal.note(step, [doing.change(act)], act.number)
            else:
                self._do(journal, doing, act, step)
            doing.done.append(act)

    def _do(self, journal: Journal, doing: _Doing, act: Act, step: Step) -> None:
        try:
            with journal.around(step, act.number) as changes:
                changes.extend(doing.do(act))
        except NotConverged as error:
            if act.action != "prove" or not doing.there.one_by_one:
                raise
            why = f"it does not do what it is for, so generation {doing.plan.active.number} stays the active one"
            with journal.around(Step("roll_back", why, step.about), act.number):
                doing.keys.destroy(doing.meant(act))
            doing.done.append(Act("roll_back", why, act.number))
            raise NotConverged(f"{error}; it is destroyed again, and {doing.there.called} is as it was") from None


class _Doing:
    """What is done to one key, and what came of it so far."""

    def __init__(self, declared: Wanted, keys: Keys, there: There, known: Known, plan: Plan) -> None:
        self.wanted, self.keys, self.there, self.known, self.plan = declared, keys, there, known, plan
        self.made: Version | None = None
        self.done: list[Act] = []

    def meant(self, act: Act) -> Version:
        """Return which generation an act is about. Raises NotConverged."""
        found = self.there.at(act.uri) if act.uri else self.made
        if found is None:
            raise NotConverged(f"{WHO}: {self.there.called}: generation {act.number} is gone; run again")
        return found

    def do(self, act: Act) -> t.Iterator[KeyKept | KeyGone]:
        """Do one act in the backend, and yield what the ledger is told once it is done."""
        if act.action == "stage_key":
            self.made = self.keys.make(act.number, self.plan.active)
            return
        version = self.meant(act)
        {"prove": self.keys.prove, "activate": self.keys.lead, "destroy": self.keys.destroy}[act.action](version)
        recorded = self.known.of(version.uri) is not None
        if (act.action == "destroy" and recorded) or (act.action == "activate" and not recorded):
            yield self.change(act)

    def change(self, act: Act) -> KeyKept | KeyGone:
        """Return what the ledger is told of an act."""
        if act.action in ("withdraw", "destroy"):
            return KeyGone(act.uri)
        version = self.meant(act)
        return KeyKept(
            uri=version.uri,
            place=self.there.place,
            label=self.wanted.name,
            key_type=version.type,
            made=self.made is version or act.number in self.known.staged,
            public_id=history.id_of(version),
            public_key=None if version.public_key is None else public_pem(version.public_key),
            backend=self.wanted.backend,
        )


def _name(declared: Wanted, host: str) -> str:
    """Return what a key is called among all that this controller rotates; a token of a host is that host's."""
    options = {name: value for name, value in declared.options.items() if name not in ("auth", "pin", "timeout")}
    whose = host if options.get("at") == "host" else ""
    return json.dumps([declared.backend, whose, options], sort_keys=True, default=str)
