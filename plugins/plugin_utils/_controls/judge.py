# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What each control of a framework comes to: met, breached, or none where there is no evidence."""

from __future__ import annotations

import typing as t

from .._identity_policy.not_judged import not_judged
from .._policy.policy import ENFORCE
from .._rows.selection import Selection, fits
from .frameworks import FRAMEWORKS
from .queries import QUERIES, Answer, Breach, Known

if t.TYPE_CHECKING:
    from .._identity_policy.subject import Fields, Subject
    from .._policy.policy import Policy
    from .._policy.policy import Verdict as OfRule
    from .._rows.row import Row
    from .frameworks import Control

MET, BREACHED, NONE = "met", "breached", "none"


class Verdict(t.NamedTuple):
    """What a control of a framework came to, of how many pieces of evidence, and its breaches.

    Those that are `not_enforced` turn nothing: of rules that only warn, that are waived, or that hold from later on.
    Nor does what its rules cannot tell, which is `not_judged`.
    """

    framework: str
    control: Control
    state: str
    evidence: int
    breaches: list[Breach]
    not_enforced: list[Breach]
    not_judged: list[Fields]


class Judge:
    """Judges controls over what is known; each query looks once, over all and over what is publicly trusted."""

    def __init__(self, known: Known, subjects: t.Sequence[Subject], policy: Policy, public: t.Sequence[str]) -> None:
        """Take what is known, and who signs what is publicly trusted."""
        self._known, self._policy, self._subjects = known, policy, subjects
        asked = Selection(issuers=tuple(public))
        self._public = frozenset(row.key for row in known.rows if fits(row, asked))
        self._answers: dict[tuple[str, bool], Answer] = {}
        self._silent: dict[bool, list[Fields]] = {}

    def of(self, framework: str) -> list[Verdict]:
        """Return the verdicts about the controls of a framework, in their order."""
        return [self._verdict(framework, one) for one in FRAMEWORKS[framework].controls]

    def _verdict(self, framework: str, control: Control) -> Verdict:
        answers = [self._answer(name, public=control.public) for name in control.queries]
        evidence = min(one.evidence for one in answers)
        found = [breach for one in answers for breach in one.breaches] + (self._of_rules(control) if evidence else [])
        breaches = [one for one in found if one.severity == ENFORCE]
        state = BREACHED if breaches else MET if evidence else NONE
        spared = [one for one in found if one.severity != ENFORCE]
        return Verdict(framework, control, state, evidence, breaches, spared, self._not_judged(control))

    def _answer(self, name: str, *, public: bool) -> Answer:
        if (name, public) not in self._answers:
            rows = [row for row in self._known.rows if not public or row.key in self._public]
            self._answers[name, public] = QUERIES[name](self._known._replace(rows=rows))
        return self._answers[name, public]

    def _not_judged(self, control: Control) -> list[Fields]:
        """Return which rules that belong to a control ask for what nobody told, and of how much."""
        if control.public not in self._silent:
            asked = [one for one in self._subjects if one.row is not None and self._is_asked(one.row, control)]
            self._silent[control.public] = not_judged(self._policy, asked)
        kinds = {one.id: one.kind for one in self._policy.rules}
        return [one for one in self._silent[control.public] if one["total"] and kinds[one["rule"]] in control.rules]

    def _is_asked(self, row: Row, control: Control) -> bool:
        return not control.public or row.key in self._public

    def _of_rules(self, control: Control) -> list[Breach]:
        """Return what the rules of the policy say that belong to a control."""
        found = []
        for one in self._subjects:
            if control.rules and one.row is not None and self._is_asked(one.row, control):
                found += [_of_rule(one.row, said) for said in self._policy.verdicts(one.candidate, control.rules)]
        return found


def _of_rule(row: Row, said: OfRule) -> Breach:
    text = f"rule {said.rule}: {said.value}; {said.remedy}"
    if said.severity != ENFORCE:
        text += f" ({said.note or 'it only warns'})"  # by whom it is waived, and until when
    return Breach(row, text, said.severity)
