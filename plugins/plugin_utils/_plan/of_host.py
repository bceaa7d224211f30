# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A plan over the identities of a host: looked at as check mode looks, held against the plan, and only then done."""

from __future__ import annotations

import typing as t

from ...module_utils._options import key_rotate, machine_identity
from .._work import failing
from .entries import of_works
from .planned import Planned
from .planned import Task as Whose

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._action import Task
    from .._ledger.chain import Readable
    from .._ledger.port import Batch, Ledger
    from .._work import Work
    from .planned import Both

Result = dict[str, t.Any]
Converge = t.Callable[..., Result]
_TABLES = {"machine_identity": machine_identity.OPTIONS, "key_rotate": key_rotate.OPTIONS}


class Watch:
    """What a run tells: what it found, before it acts, and how it ended."""

    def __init__(self, planned: Planned) -> None:
        """Keep who is told."""
        self.planned = planned

    def looked(self, works: Sequence[Work], ledger: Ledger, batch: Batch) -> None:  # noqa: ARG002 - not only looking
        """Hold what was found against the plan. Raises Denied."""
        if not any(work.error for work in works):
            self.planned.looked(of_works(works), t.cast("Readable", ledger))

    def followed(self, works: Sequence[Work]) -> None:
        """Let nothing follow in the same run that was not planned: it ends the way of its identity."""
        for work, (entry,) in ((work, of_works([work])) for work in works):
            with failing([work]):
                self.planned.check_follows(entry)

    def acted(self, works: Sequence[Work], ledger: Ledger, batch: Batch) -> None:
        """Do nothing: there was only a look."""


class Acting(Watch):
    """What is told by the run that acts."""

    def looked(self, works: Sequence[Work], ledger: Ledger, batch: Batch) -> None:
        """Let it act where it found what the look before found. Raises KeysteadError."""
        for work in works:
            if work.error:
                raise work.error
        self.planned.looked_again(of_works(works))
        self.planned.begin(t.cast("Both", ledger), batch)

    def acted(self, works: Sequence[Work], ledger: Ledger, batch: Batch) -> None:
        """Write down how it ended."""
        errors = [work.error for work in works if work.error]
        self.planned.end(ledger, batch, str(errors[0]) if errors else None)


def planned(args: Mapping[str, t.Any], task: Task, module: str, converge: Converge) -> Result:
    """Write a plan in check mode, else carry it out, by a `converge` that tells a watch."""
    plan = Planned(args, _TABLES[module], Whose(module, task.host, args["store"], task.check))
    if task.check:
        return plan.told(converge(args, task, module, Watch(plan)))
    shown = converge(args, task._replace(check=True), module, Watch(plan))
    if shown.get("failed"):
        return {**shown, "changed": False, "msg": f"{shown['msg']}; so nothing of the plan was done"}
    return plan.told(converge(args, task, module, Acting(plan)) if plan.acts else shown)
