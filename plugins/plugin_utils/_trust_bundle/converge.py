# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look, decide, act, look again, for the anchors of one bundle: one execution, and another where something is done."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, datetime

from ...module_utils._core import wire
from ...module_utils._core.errors import Denied, KeysteadError, NotConverged
from ...module_utils._core.model import Done
from ...module_utils._core.trust import packed, seen_of
from .._actor import actor, holder
from .._edge import unexpected
from .._host_half import LARGEST_SKEW, HostHalf, error_of
from .._ledger.port import Batch, Event, Outcome
from .._ledger.registry import open_for
from .._policy.load import load
from .anchors import Anchor, anchor
from .decide import check, decide, going
from .peers import needed
from .report import report
from .wanted import wanted
from .words import ACTIVATE, WHO

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Step
    from ...module_utils._core.trust import TrustErrand, TrustSeen
    from .._action import Task
    from .._ledger.chain import Readable
    from .._ledger.port import Ledger
    from .decide import Plan
    from .peers import Needed
    from .wanted import Wanted


CLOCK = (
    "the clocks of {host} and of the controller differ by {skew:.0f} s, so that it is not known what has ended: "
    "synchronise both"
)
FAILED = (
    "host: {error}; {where} is as it is declared, and its service was not told: mend that and run again, which tells it"
)


def converge(args: t.Mapping[str, t.Any], task: Task) -> dict[str, t.Any]:
    """Bring one bundle to what validated options declare; return what the task returns. Raises KeysteadError."""
    declared, warnings = wanted(args)
    load(args["policy"], datetime.now(UTC))  # it has no rule for anchors; one that cannot be read stops every task
    ledger = open_for(args, read_only=task.check)
    try:
        return _Run(declared, task, ledger, warnings).done()
    finally:
        ledger.close()


class _Run:
    """One run over one bundle."""

    def __init__(self, declared: Wanted, task: Task, ledger: Ledger, warnings: list[str]) -> None:
        self.wanted, self.task, self.ledger, self.warnings = declared, task, ledger, warnings
        self.now = datetime.now(UTC)
        self.half = HostHalf(task.execute, "", task.host, ledger.id, holder(), self.warnings)

    def done(self) -> dict[str, t.Any]:
        """Run, and report."""
        seen, there, _done = self._ask(self.wanted.errand("look"))
        self.warnings += check(self.wanted, seen, there, self.now)
        needs = self._needs(going(self.wanted, there))
        plan = decide(self.wanted, seen, there, needs)
        if plan.steps and not self.task.check:
            plan = self._act(plan, seen)
        return report(self.wanted, there, plan, self.task, self.warnings)

    def _needs(self, leaving: t.Sequence[Anchor]) -> Needed:
        """Return who needs what is going. What has ended, nobody does; while a clock is off, that is not known."""
        off = self.half.skew > LARGEST_SKEW
        held = CLOCK.format(host=self.task.host, skew=self.half.skew) if off else ""
        alive = [one for one in leaving if off or one.not_after > self.now]
        ledger = t.cast("Readable", self.ledger)
        return needed(ledger, self.task.host, alive, self.wanted.anchors, self.now, held=held)

    def _act(self, plan: Plan, seen: TrustSeen) -> Plan:
        """Write the bundle, and have its service told: what is going to be done is in the ledger before (A1)."""
        self._record(_events(plan.steps, "pending"))
        started = time.monotonic()
        writes = [step for step in plan.steps if step.action != ACTIVATE]
        try:
            what = "write" if writes else ACTIVATE
            _seen, _there, done = self._ask(self.wanted.errand(what, plan.anchors, seen.digest))
        except Exception as error:
            message = str(error) if isinstance(error, KeysteadError) else unexpected(WHO, error)
            self._record(_events(plan.steps, "failed", message, time.monotonic() - started))
            raise
        told = [_as_told(step, done) for step in plan.steps if step.action == ACTIVATE]
        failure, seconds = (done.error or "", done.seconds) if done else ("", 0.0)
        written = _events(writes, "ok", seconds=time.monotonic() - started - seconds)
        self._record([*written, *_events(told, "failed" if failure else "ok", failure, seconds)])
        if failure:
            raise NotConverged(FAILED.format(error=failure, where=self.wanted.where))
        return plan._replace(steps=(*writes, *told))

    def _record(self, events: t.Sequence[Event]) -> None:
        batch = Batch(self.task.host, self.wanted.where, actor(self.task.playbook), self.now)
        self.ledger.record(batch, [Outcome(self.wanted.name, None, tuple(events))])

    def _ask(self, errand: TrustErrand) -> tuple[TrustSeen, tuple[Anchor, ...], Done | None]:
        """Let the host look or write, and read what it saw (C3)."""
        said = self.half.errand(packed(errand), None, self.now, "trust")
        error = error_of(said) if "error" in said else None
        if error is not None:
            raise error
        try:
            seen = seen_of(said["seen"])
            done = wire.unpack(Done, said["done"]) if "done" in said else None
            if errand.errand != "look" and errand.activate and done is None:
                raise ValueError("it does not say whether the service was told")  # noqa: TRY301 - one error for all
            return seen, tuple(map(anchor, seen.anchors)), done
        except (ValueError, KeyError) as failure:
            raise Denied(f"host: its answer about its anchors is refused: {failure}") from None


def _events(steps: t.Sequence[Step], outcome: str, message: str = "", seconds: float = 0.0) -> list[Event]:
    return [Event(step.action, step.reason, outcome, message, seconds) for step in steps]


def _as_told(step: Step, done: Done | None) -> Step:
    return step._replace(reason=f"{step.reason}; {done.reason}") if done and done.reason else step
