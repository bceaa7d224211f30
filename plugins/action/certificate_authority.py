# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The whole of certificate_authority: it runs on the controller and never touches a host."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._options.authority import OPTIONS
from ..module_utils._options.common import COMMON
from ..module_utils._options.option import spec
from ..module_utils._options.planned import refuse_planned
from ..plugin_utils._action import playbook_of
from ..plugin_utils._actor import actor
from ..plugin_utils._authority.converge import converge
from ..plugin_utils._authority.journal import journal
from ..plugin_utils._authority.report import report
from ..plugin_utils._authority.wanted import wanted
from ..plugin_utils._edge import refuse_async, told
from ..plugin_utils._inventory import place
from ..plugin_utils._ledger.port import Batch
from ..plugin_utils._ledger.registry import open_for
from ..plugin_utils._policy.authority import Standing, authority
from ..plugin_utils._policy.load import load
from ..plugin_utils._policy.review import Review
from ..plugin_utils._validate import plain, validated

if t.TYPE_CHECKING:
    from ..plugin_utils._authority.converge import Outcome
    from ..plugin_utils._authority.wanted import Wanted
    from ..plugin_utils._ledger.port import Ledger

NAME = "certificate_authority"


class ActionModule(ActionBase):
    """Look, decide, act, look again."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Validate the options and converge."""
        return told(NAME, lambda: self._run(tmp, task_vars))

    def _run(self, tmp: str | None, variables: dict[str, t.Any] | None) -> dict[str, t.Any]:
        refuse_async(self._task, NAME)
        given = plain(self._task.args)
        refuse_planned(given, NAME)
        options = validated(given, spec(OPTIONS, COMMON), module=NAME)
        declared, present = wanted(options), options["state"] == "present"
        warnings = _reviewed(declared, options["policy"], variables or {}) if present else []
        ledger = open_for(options, read_only=self._task.check_mode)
        try:
            outcome = self._converge(declared, ledger, variables or {}, present=present)
        finally:
            ledger.close()
        return {
            **super().run(tmp, variables),
            **report(declared, outcome, diff=self._task.diff),
            **({"warnings": warnings} if warnings else {}),
        }

    def _converge(self, declared: Wanted, ledger: Ledger, variables: dict[str, t.Any], *, present: bool) -> Outcome:
        """Do what there is to do, every step of it in the ledger before it is done (A1)."""
        now = dt.datetime.now(dt.UTC)
        batch = Batch(place(variables).host, str(declared.directory), actor(playbook_of(self._task)), now)
        record = journal(ledger, batch, declared.name)
        return converge(declared, present=present, check=self._task.check_mode, now=now, journal=record)


def _reviewed(declared: Wanted, policy: str | None, variables: dict[str, t.Any]) -> list[str]:
    """Judge what is declared by the policy before anything is touched (P1), and return the warnings."""
    candidate = authority(declared, place(variables))
    review = Review(load(policy, dt.datetime.now(dt.UTC)), [candidate])
    return review.settle(Standing(declared))
