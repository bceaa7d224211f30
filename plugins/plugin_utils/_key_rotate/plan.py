# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A plan over keys by themselves (ADR 24): looked at as check mode looks, held against the plan, and only then done."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied
from ...module_utils._core.model import Step
from ...module_utils._options import key_rotate
from .._plan.compare import changed, few
from .._plan.document import Entry, plain
from .._plan.planned import Planned
from .._plan.planned import Task as Whose
from .age import since
from .decide import WHO
from .model import ACTIVE, PREPARED, TAINTED

if t.TYPE_CHECKING:
    from .._action import Task
    from .._ledger.chain import Readable
    from .._ledger.port import Batch, Ledger
    from .acting import Seen
    from .model import Version
    from .wanted import Options, Wanted

Result = dict[str, t.Any]
Rotate = t.Callable[..., Result]


class Watch:
    """What a run tells that only looks: what it found of each key, and that it is over."""

    def __init__(self, planned: Planned) -> None:
        """Keep who is told."""
        self.planned = planned
        self.found: dict[str, Entry] = {}

    def seen(self, declared: Wanted, seen: Seen) -> None:
        """Take what was found of a key."""
        entry = _entry(declared, seen)
        self.found[entry.name] = entry

    def begins(self, ledger: Ledger, batch: Batch) -> None:
        """Do nothing: it only looks."""

    def ended(self, ledger: Ledger, batch: Batch, wrong: str | None) -> None:  # noqa: ARG002 - it records nothing
        """Hold what was found of all keys against the plan. Raises Denied."""
        if wrong is None:
            self.planned.looked(tuple(self.found.values()), t.cast("Readable", ledger))


class Acting(Watch):
    """What the run tells that acts: it does what the look before found, for each key, once it is the only one at it."""

    def __init__(self, watch: Watch) -> None:
        """Take what the look found."""
        super().__init__(watch.planned)
        self.found = watch.found

    def begins(self, ledger: Ledger, batch: Batch) -> None:
        """Write down that it acts. Raises KeysteadError where another run does."""
        self.planned.begin(t.cast("t.Any", ledger), batch)

    def ended(self, ledger: Ledger, batch: Batch, wrong: str | None) -> None:
        """Write down how it ended."""
        self.planned.end(ledger, batch, wrong)

    def seen(self, declared: Wanted, seen: Seen) -> None:
        """Raise Denied where a key is not as it was a moment ago."""
        now = _entry(declared, seen)
        before = self.found.get(now.name, Entry(now.name, {}, ()))
        changes = [*changed(before, now)]
        if changes:
            raise Denied(
                f"{WHO}: option plan: {now.name} became another while the run looked: {few(changes)}; run with --check "
                "again, and look at what it plans then"
            )


def planned(args: Options, task: Task, rotate: Rotate) -> Result:
    """Write a plan in check mode, else carry it out, by a `rotate` that tells a watch."""
    plan = Planned(args, key_rotate.OPTIONS, Whose(WHO, _host(args, task), "", task.check))
    watch = Watch(plan)
    shown = rotate(args, task._replace(check=True), watch=watch)
    if task.check:
        return plan.told(shown)
    if shown.get("failed"):
        return {**shown, "changed": False, "msg": f"{shown['msg']}; so nothing of the plan was done"}
    return plan.told(rotate(args, task, watch=Acting(watch)) if plan.acts else shown)


def _host(args: Options, task: Task) -> str:
    """Return whose plan it is: nobody's where every key is one that the controller reaches, from whichever host."""
    tokens = [one["custody"].get("pkcs11") for one in args["keys"] if one["custody"]]
    return task.host if any(token and token["at"] == "host" for token in tokens) else ""


def _entry(declared: Wanted, seen: Seen) -> Entry:
    """Return what the decision about a key rests on, and its steps, each about a generation."""
    there, known, plan = seen
    at = since(plan.active, known)
    facts: Result = {
        "active": plan.active.uri,
        "since": f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None,
        "stopped": plan.active.stopped,
        "leads": there.leads,
        "least": there.least,
        "generations": [f"{one.number}: {_state(one, seen)}, {one.uri}" for one in there.versions],
        "used_by": sorted({user for users in known.users.values() for user in users}),
    }
    facts = {name: value for name, value in facts.items() if value not in (None, "", [])}
    steps = tuple(Step(act.action, act.reason, str(act.number)) for act in plan.acts)
    return Entry(f"{declared.name} in {there.place}", plain(facts), steps)


def _state(version: Version, seen: Seen) -> str:
    plan, recorded = seen.plan, seen.known.of(version.uri) is not None
    if version == plan.active:
        return ACTIVE if recorded else f"{ACTIVE}, not recorded"
    if version == plan.prepared:
        return PREPARED
    return TAINTED if recorded and version.number < plan.active.number else "not recorded"
