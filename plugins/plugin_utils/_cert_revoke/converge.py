# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look, decide, act, look again, for the certificates that a task selects. It stays on the controller."""

from __future__ import annotations

import contextlib
import typing as t
from datetime import UTC, datetime

from ...module_utils._core.errors import KeysteadError
from .._actor import actor
from .._declare import checked_issuer
from .._issuers.facts import facts_of
from .._ledger.port import Batch
from .._policy.emergency import check_emergency
from .._policy.load import load
from .._signers import Signers
from .act import SLICE, Run, act
from .decide import check_asked, check_expected, decide
from .find import find
from .ledger import opened
from .listed import with_keys
from .lists import Lists
from .look import look
from .report import report
from .served import delivered, served
from .wanted import WHO, wanted

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...module_utils._core.model import Step
    from .._ledger.journal import Journal
    from .._ledger.ledger import SqlLedger
    from .._plan.planned import Planned
    from .._policy.policy import Policy
    from .act import Answer
    from .decide import Found
    from .wanted import Wanted


class Setting(t.NamedTuple):
    """What a run is told beside its options: the inventory's host of the task, and how to show a line meanwhile."""

    host: str
    playbook: str | None
    check: bool
    diff: bool
    say: Callable[[str], None]


def converge(args: t.Mapping[str, t.Any], setting: Setting) -> dict[str, t.Any]:
    """Revoke what validated options declare; return what the task returns. Raises KeysteadError."""
    declared = wanted(args)
    plan = _planned(args, setting)
    policy = load(args["policy"], datetime.now(UTC))
    further = [issuer for one in (args["issuer"], *(args["issuers"] or ())) if (issuer := checked_issuer(one))]
    ledger, warnings = opened(args, declared, check=setting.check)
    with contextlib.closing(ledger):
        converging = _Converging(declared, Signers(further, WHO), ledger, policy, setting)
        return converging.done(warnings) if plan is None else plan.told(converging.done(warnings, plan))


def _planned(args: t.Mapping[str, t.Any], setting: Setting) -> Planned | None:
    if args["plan"] is None:
        return None
    from ...module_utils._options.cert_revoke import OPTIONS
    from .._plan.planned import Planned, Task

    return Planned(args, OPTIONS, Task(WHO, "", "", setting.check))  # run_once may pick another host the next time


class _Converging:
    """One run."""

    def __init__(
        self, declared: Wanted, signers: Signers, ledger: SqlLedger | Journal, policy: Policy, setting: Setting
    ) -> None:
        self.wanted, self.signers, self.ledger, self.policy, self.setting = declared, signers, ledger, policy, setting
        self.now = datetime.now(UTC)

    def done(self, warnings: Sequence[str], plan: Planned | None = None) -> dict[str, t.Any]:
        """Run, and report; the warnings are those that there are already. With a plan, do that or nothing."""
        targets, unknown = find(self.ledger, self.wanted, self.signers.all, self.now)
        warnings = [*warnings, *unknown]
        check_expected(self.wanted, len(targets))
        if self.wanted.emergency:
            warnings += check_emergency(self.policy, [(one.called, one.holders) for one in targets], self.setting.host)
        found = look(self.ledger, targets, self.signers, self.now, self._telling(len(targets), "looked at"))
        found = with_keys(found, self.wanted, self.signers)
        lists = Lists(self.ledger, self.signers, found, self.now)
        found = lists.spared(found)
        doomed = [one for one in found if one.to_revoke]
        if self.wanted.key:
            self.wanted.key.check(doomed)
        shown = served(self.ledger, doomed)
        steps, in_use = decide(self.wanted, found, delivered(self.ledger, doomed, self.now), shown.places)
        revoking, steps = steps, (*steps, *lists.steps)
        check_asked(self.wanted, doomed, shown.silent)
        warnings += [*shown.warnings, *in_use, *self._foreseen(doomed)]
        acts = self._may(plan, found, steps) if plan else not self.setting.check
        if acts:
            lists.bring_back(self.ledger, self._batch())
            found = lists.spared(found)
        answers = self._acted(found, steps) if acts else None
        if acts:
            lists.mend(self.ledger, self._batch())
        if plan and acts:
            every = (*lists.errors.values(), *(answers or {}).values())
            errors = [one for one in every if isinstance(one, KeysteadError)]
            plan.end(self.ledger, self._batch(), str(errors[0]) if errors else None)
        said = report(found, (*revoking, *lists.steps), answers, reason=self.wanted.reason, diff=self.setting.diff)
        if lists.errors and not self.wanted.emergency:
            said = {"failed": True, "msg": str(next(iter(lists.errors.values()))), **said}
        told = [*warnings, *lists.warnings, *self.signers.advice(), *self._unseen(found, answers or {})]
        return {**said, **({"warnings": list(dict.fromkeys(told))} if told else {})}

    def _unseen(self, found: Sequence[Found], answers: Mapping[str, Answer]) -> list[str]:
        """Say where those who rely on them do not see yet that certificates were revoked just now."""
        if not answers:
            return []
        from .relying import unseen

        return unseen(found, answers)

    def _may(self, plan: Planned, found: Sequence[Found], steps: Sequence[Step]) -> bool:
        """Tell whether the plan is to be carried out; where it is, say so in the ledger. Raises KeysteadError."""
        from .._plan.entries import of_certificates

        errors = [one.error for one in found if one.error]
        if errors and self.setting.check:
            return False
        if errors:
            raise errors[0]
        plan.looked(of_certificates(found, steps), self.ledger)
        if plan.acts:
            plan.begin(self.ledger, self._batch())
        return plan.acts

    def _batch(self) -> Batch:
        return Batch(self.setting.host, "", actor(self.setting.playbook), datetime.now(UTC))

    def _acted(self, found: Sequence[Found], steps: Sequence[Step]) -> dict[str, Answer]:
        """Let the issuers act."""
        who = actor(self.setting.playbook)
        run = Run(
            host=self.setting.host,
            ledger=self.ledger,
            batch=lambda host, store: Batch(host, store, who, datetime.now(UTC)),
            reason=self.wanted.reason,
            reasons={step.about: step.reason for step in steps},
            say=self.setting.say,
            key=self.wanted.key,
        )
        return act(found, run)

    def _telling(self, total: int, what: str) -> Callable[[int], None]:
        """Return what shows a line now and then where there are many."""

        def tell(number: int) -> None:
            if total > SLICE and number and not number % (10 * SLICE):
                self.setting.say(f"{number} of {total} certificates {what}")

        return tell

    def _foreseen(self, doomed: Sequence[Found]) -> list[str]:
        """Say what an issuer will not keep, or will not tell at once, before it is asked."""
        said = []
        for issuer in {one.issuer.id: one.issuer for one in doomed}.values():
            who, facts = issuer.id.partition(":")[0], facts_of(issuer.id)
            if not facts.keeps_reasons and self.wanted.reason != "unspecified":
                said.append(
                    f"{who}: it keeps no reason of a revocation; {self.wanted.reason} is recorded as unspecified"
                )
            if facts.tells_status_later:
                said.append(f"{issuer.id}: its list tells of a revocation only when it is written anew")
            elif not facts.tells_status:
                said.append(f"{issuer.id}: it cannot be asked whether a certificate is revoked; the ledger alone knows")
        return said
