# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One task with a plan: check mode writes it, and a run does exactly that, or refuses before anything is done."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Pending
from .._ledger.port import Event
from . import file
from .compare import LEDGER, Verdict, declared_otherwise, differences, few, is_of_another_task, judge
from .declared import declared
from .document import Plan, digest, plain, unpacked
from .history import ACTION, at_work, history, record

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Step
    from ...module_utils._options.option import Table
    from .._ledger.chain import Readable
    from .._ledger.port import Batch
    from .document import Entry
    from .history import Records

    class Both(Readable, Records, t.Protocol):
        """A ledger, or the journal of an emergency."""


Result = dict[str, t.Any]
_AGAIN = "run with --check again, and look at what it plans then"


class Task(t.NamedTuple):
    """Whose plan it is: a module's, on a host, over a store there (empty where it has none)."""

    module: str
    host: str
    store: str
    check: bool


class Planned:
    """The plan of one task."""

    def __init__(self, args: t.Mapping[str, t.Any], table: Table, task: Task) -> None:
        """Read what a run is held to. Raises Misconfigured, and Denied where another task was planned."""
        self._who, self._path, self._task = f"{task.module}: option plan", Path(args["plan"]), task
        if not self._path.is_absolute():
            raise Misconfigured(
                f"{self._who}: {str(args['plan'])[:200]!r} is not absolute; write for example "
                f"/srv/plans/{{{{ inventory_hostname }}}}.{task.module}.json"
            )
        self._declared = declared(args, table)
        self._found: Plan | None = None
        self._verdict = Verdict()
        self._plan = None if task.check else self._approved()
        self._digest = self._plan.digest if self._plan else ""

    @property
    def acts(self) -> bool:
        """Whether a run has something to do."""
        return self._verdict.acts

    def _approved(self) -> Plan:
        content = self._read()
        if content is None:
            raise Misconfigured(f"{self._who}: {self._path} does not exist; {_AGAIN[:16]} first, which writes it")
        plan = self._unpacked(content)
        self._check_is_ours(plan)
        changed = declared_otherwise(plan, self._declared)
        if changed:
            raise Denied(
                f"{self._who}: {self._path} was planned for another declaration, and nothing was done: "
                f"{few(changed)} differ; {_AGAIN}"
            )
        return plan

    def _read(self) -> bytes | None:
        try:
            return file.read(self._path)
        except Misconfigured as error:
            raise Misconfigured(f"{self._who}: {error}") from None

    def _unpacked(self, content: bytes) -> Plan:
        try:
            return unpacked(content)
        except ValueError as error:
            remedy = f"write another path, or, where it was a plan, remove it, and {_AGAIN}"
            raise Misconfigured(f"{self._who}: {self._path}: {error}; {remedy}") from None

    def _check_is_ours(self, plan: Plan) -> None:
        """Refuse the plan of another task. Raises Denied."""
        mine = (("module", self._task.module), ("host", self._task.host), ("store", self._task.store))
        for name, value in mine:
            theirs = getattr(plan, name)
            if theirs != value:
                raise Denied(
                    f"{self._who}: {self._path} is the plan of {name} {theirs}, and this is {value}; give each host "
                    f"and task a file of its own: {{{{ inventory_hostname }}}}.{self._task.module}.json"
                )

    def looked(self, entries: tuple[Entry, ...], ledger: Readable) -> None:
        """Take what a run found and decided. Raises Denied where that is not what was planned."""
        moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        task = self._task
        self._found = Plan(task.module, task.host, plain(task.store), self._beside(ledger), entries, moment)
        if self._plan is None:
            self._found = self._kept(self._found, ledger)
            return
        self._verdict = judge(self._plan, self._found, history(ledger, self._digest))
        if self._verdict.refused:
            raise Denied(f"{self._who}: {self._path} {self._verdict.refused}; nothing was done; {_AGAIN}")
        if self._verdict.acts:
            self._check_alone(ledger)

    def _check_alone(self, ledger: Readable) -> None:
        """Raise Pending where another run is at work on the same plan."""
        since = at_work(ledger, self._digest)
        if since:
            raise Pending(
                f"{self._who}: {self._path} is being carried out since {since} by another run; nothing was done; run "
                "again when that has ended"
            )

    def _beside(self, ledger: Readable) -> dict[str, str]:
        """Return what is declared, and beside which ledger. Raises Denied for a plan that was made beside another.

        Which plans were carried out is only in the ledger where that happened. There may have been none yet.
        """
        mine = {LEDGER: digest(ledger.id)} if ledger.id else {}
        theirs = self._plan.declared.get(LEDGER) if self._plan else None
        if theirs and mine and theirs != mine[LEDGER]:
            raise Denied(
                f"{self._who}: {self._path} was planned beside another ledger, and nothing was done; name the same "
                f"one, or {_AGAIN}"
            )
        return {**self._declared, **({LEDGER: theirs} if theirs else mine)}

    def _kept(self, found: Plan, ledger: Readable) -> Plan:
        """Return the plan that there is where it says the same and waits to be carried out: it may be approved."""
        content = self._read()
        try:
            before = unpacked(content) if content is not None else None
        except ValueError:
            return found
        if before is None or before._replace(at=found.at) != found:
            return found
        return found if history(ledger, before.digest).begun else before

    def looked_again(self, entries: tuple[Entry, ...]) -> None:
        """Raise Denied where something changed while the run looked."""
        if self._found is None:
            return
        now = self._found._replace(entries=tuple(map(self._with_what_follows, entries)))
        changes = [*differences(self._found, now)]
        if changes:
            raise Denied(f"{self._who}: {self._path} became stale while the run looked: {few(changes)}; {_AGAIN}")

    def check_follows(self, entry: Entry) -> None:
        """Raise Denied where what follows an adoption in the same run is not among what was planned."""
        planned = {(step.action, step.about) for step in self._steps(entry.name)}
        extra = [f"{step.action} ({step.reason})" for step in entry.steps if (step.action, step.about) not in planned]
        if extra:
            raise Denied(f"{self._who}: {self._path}: {entry.name}: not planned is to {few(extra)}; {_AGAIN}")

    def _with_what_follows(self, entry: Entry) -> Entry:
        """Add to an adoption the steps that only a look foresees, and a run decides on when it is done."""
        foreseen = self._steps(entry.name)
        count = len(entry.steps)
        if not any(step.action == "adopt" for step in entry.steps) or foreseen[:count] != entry.steps:
            return entry
        return entry._replace(steps=foreseen)

    def _steps(self, name: str) -> tuple[Step, ...]:
        entries = self._found.entries if self._found else ()
        return next((one.steps for one in entries if one.name == name), ())

    def begin(self, ledger: Both, batch: Batch) -> None:
        """Write down that it is carried out (A1). Raises KeysteadError where another run did so a moment before."""
        if self._plan is None:
            return
        reason = f"the plan of {self._plan.at} with {self._plan.steps} steps, {self._path}"
        record(ledger, batch, self._digest, Event(ACTION, reason, "pending"))
        try:
            self._check_alone(ledger)
            if done := history(ledger, self._digest).done:
                raise Denied(f"{self._who}: {self._path} was carried out at {done} by another run; nothing was done")
        except KeysteadError as error:
            self.end(ledger, batch, str(error))
            raise

    def end(self, ledger: Records, batch: Batch, failed: str | None) -> None:
        """Write down how it ended."""
        if self._plan is not None:
            reason = f"the plan of {self._plan.at} with {self._plan.steps} steps, {self._path}"
            record(ledger, batch, self._digest, Event(ACTION, reason, "failed" if failed else "ok", failed or ""))

    def told(self, result: Result) -> Result:
        """Return the result with what is to be said of the plan; in check mode, write it first."""
        if self._task.check:
            if result.get("failed") or self._found is None:
                return {**result, "msg": f"{result.get('msg', '')}; no plan was written".lstrip("; ")}
            self._write(self._found)
        plan = self._plan or self._found
        if plan is None:
            return result
        name = self._digest or plan.digest
        said: Result = {"plan": {"path": str(self._path), "sha256": name, "planned_at": plan.at}}
        if self._verdict.told and not result.get("failed"):
            said["msg"] = f"{self._who}: {self._path} {self._verdict.told}"
        return {**result, **said}

    def _write(self, plan: Plan) -> None:
        content = plan.packed()
        if self._read() == content:
            return
        try:
            file.write(self._path, content, self._check_may_replace)
        except Misconfigured as error:
            text = str(error)
            raise Misconfigured(text if text.startswith(self._who) else f"{self._who}: {text}") from None

    def _check_may_replace(self, content: bytes) -> None:
        """Refuse to write over what is not an earlier plan of the same task. Raises Misconfigured or Denied."""
        there = self._unpacked(content)
        self._check_is_ours(there)
        if self._found and is_of_another_task(self._found, there):
            theirs = few(sorted(one.name for one in there.entries))
            raise Denied(
                f"{self._who}: {self._path} is the plan of another task, with {theirs}; give each task a file of its "
                "own, or remove this one"
            )
