# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The whole of certificate_authority: it runs on the controller and never touches a host."""

from __future__ import annotations

import datetime as dt
import typing as t

from ..module_utils._options.authority import OPTIONS
from ..module_utils._options.common import COMMON
from ..module_utils._options.option import spec
from ..plugin_utils._action import playbook_of
from ..plugin_utils._actor import actor
from ..plugin_utils._authority.about import find_about
from ..plugin_utils._authority.converge import converge
from ..plugin_utils._authority.journal import journal
from ..plugin_utils._authority.known import Elsewhere
from ..plugin_utils._authority.report import report
from ..plugin_utils._authority.store import find
from ..plugin_utils._authority.wanted import wanted
from ..plugin_utils._controller_action import ControllerAction
from ..plugin_utils._inventory import place
from ..plugin_utils._ledger.port import Batch
from ..plugin_utils._ledger.registry import open_for
from ..plugin_utils._ledger.revocations import of_issuer
from ..plugin_utils._policy.authority import Standing, authority
from ..plugin_utils._policy.load import load
from ..plugin_utils._policy.review import Review

if t.TYPE_CHECKING:
    from ..module_utils._core.revoking import Revocation
    from ..plugin_utils._authority.converge import Outcome
    from ..plugin_utils._authority.wanted import Parent, Wanted
    from ..plugin_utils._ledger.ledger import SqlLedger


class ActionModule(ControllerAction):
    """Look, decide, act, look again."""

    module = "certificate_authority"
    accepts = spec(OPTIONS, COMMON)

    def work(self, args: t.Mapping[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""
        declared, present = wanted(args), args["state"] == "present"
        warnings = _reviewed(declared, args["policy"], variables) if present else []
        ledger = open_for(args, read_only=self._task.check_mode)
        try:
            outcome = self._converge(declared, ledger, variables, present=present)
        finally:
            ledger.close()
        return {**report(declared, outcome, diff=self._task.diff), **({"warnings": warnings} if warnings else {})}

    def _converge(self, declared: Wanted, ledger: SqlLedger, variables: dict[str, t.Any], *, present: bool) -> Outcome:
        """Do what there is to do, every step of it in the ledger before it is done (A1)."""
        now = dt.datetime.now(dt.UTC)
        batch = Batch(place(variables).host, str(declared.directory), actor(playbook_of(self._task)), now)
        record = journal(ledger, batch, declared.name, lambda: find(declared.directory, declared.name))
        return converge(
            declared,
            present=present,
            check=self._task.check_mode,
            now=now,
            journal=record,
            elsewhere=Elsewhere(_revoked(declared, ledger, now), declared.seen),
            above=Elsewhere(_revoked(declared.parent, ledger, now) if declared.parent else ()),
        )


def _revoked(authority: Wanted | Parent, ledger: SqlLedger, now: dt.datetime) -> tuple[Revocation, ...]:
    """Return what the ledger knows to be revoked of an authority."""
    there = find_about(authority.directory, authority.name)
    return tuple(of_issuer(ledger, there.id, now)) if there else ()


def _reviewed(declared: Wanted, policy: str | None, variables: dict[str, t.Any]) -> list[str]:
    """Judge what is declared by the policy before anything is touched (P1), and return the warnings."""
    candidate = authority(declared, place(variables))
    review = Review(load(policy, dt.datetime.now(dt.UTC)), [candidate])
    return review.settle(Standing(declared))
