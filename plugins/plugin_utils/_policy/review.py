# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The review of a task: before the ledger is opened by the declaration alone, then with what the ledger knows."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied
from .leave import check_leave
from .policy import ENFORCE, LATER, WARN

if t.TYPE_CHECKING:
    from .candidate import Candidate
    from .policy import Policy, Verdict

MOST_NAMED = 8


class Known(t.Protocol):
    """What is known of candidates beside what is declared."""

    def as_it_is(self, candidate: Candidate) -> Candidate | None:
        """Return a live candidate with what is live of it, None for one that is not."""

    def age_of_key(self, candidate: Candidate) -> int | None:
        """Return for how long its live key has been in use, in seconds."""


class Review:
    """What a policy says of the candidates of one task. One finding refuses all of it."""

    def __init__(
        self, policy: Policy, candidates: t.Sequence[Candidate], others: t.Sequence[Candidate] = ()
    ) -> None:
        """Judge what is declared; raises Denied when a rule is broken whatever the ledger knows.

        `others` are the same with other issuers of the task, and are judged for these alone.
        """
        self.policy, self._candidates = policy, candidates
        self._found = [verdict for one in candidates for verdict in policy.verdicts(one)]
        by_issuer = [verdict for one in others for verdict in policy.verdicts(one, ("issuer",))]
        self._of_others = [
            one._replace(note="; ".join(filter(None, (one.note, "in option issuers")))) for one in by_issuer
        ]
        self._refuse([*self._found, *self._of_others])
        for one in (*candidates, *others):
            check_leave(policy, one)

    def settle(self, known: Known) -> list[str]:
        """Judge what only the ledger can tell, and return the warnings; raises Denied."""
        by_name = {one.name: one for one in self._candidates} if self._found else {}
        found = [self._settled(one, known, by_name[one.name]) for one in self._found]
        found += self._of_ages(known, {(one.rule, one.name) for one in found})
        found += [one._replace(severity=WARN) for one in self._of_others]  # nothing is signed there
        self._refuse(found)
        return [f"policy: {text}" for text in told(found)]

    def found_shared(self, name: str, users: t.Sequence[str]) -> list[str]:
        """Judge that the key of an identity is found to be that of others too; return the warnings, or raise Denied.

        It is live already, so a rule that is not enforced yet only warns.
        """
        alike = [one._replace(shared_with=tuple(users)) for one in self._candidates if one.name == name]
        found = [verdict for one in alike for verdict in self.policy.verdicts(one, ("shared_key",))]
        self._refuse(found)
        return [f"policy: {text}" for text in told(found)]

    def _settled(self, verdict: Verdict, known: Known, candidate: Candidate) -> Verdict:
        """Warn of a live identity that breaks the rule already, and no further: a new or a worse one is not made."""
        if verdict.severity != LATER:
            return verdict
        live = known.as_it_is(candidate)
        if live is not None and self.policy.spares(verdict.rule, candidate, live):
            return verdict._replace(severity=WARN)
        new = "what is live already may stay until then, and this is " + ("changed" if live else "new")
        return verdict._replace(severity=ENFORCE, note="; ".join(filter(None, (verdict.note, new))))

    def _of_ages(self, known: Known, told_already: t.Collection[tuple[str, str]]) -> list[Verdict]:
        """Judge the ages of live keys; to refuse an old key that is not reused would only keep it in use: it warns."""
        youngest = self.policy.youngest_limit
        if youngest is None:
            return []
        ages = [(one, age) for one in self._candidates if (age := known.age_of_key(one)) is not None]
        aged = [one._replace(key_age=age) for one, age in ages if age > youngest]
        return [
            verdict if one.reuse and verdict.severity == ENFORCE else verdict._replace(severity=WARN)
            for one in aged
            for verdict in self.policy.verdicts(one, ("key_age",))
            if (verdict.rule, verdict.name) not in told_already
        ]

    def _refuse(self, found: t.Sequence[Verdict]) -> None:
        refused = [one for one in found if one.severity == ENFORCE]
        if not refused:
            return
        numbered = [f"({number}) {text}" for number, text in enumerate(told(refused), 1)]
        raise Denied(f"policy: {self.policy.source} refuses this task: {' '.join(numbered)}")


def told(verdicts: t.Sequence[Verdict]) -> list[str]:
    """Return a sentence a finding; what several identities have in common is said once."""
    by_text: dict[tuple[str, ...], list[str]] = {}
    for one in verdicts:
        by_text.setdefault((one.rule, one.severity, one.value, one.remedy, one.note), []).append(one.name)
    return [
        f"rule {rule}, {_named(names)}: {value}; {remedy}{f' ({note})' if note else ''}"
        for (rule, _severity, value, remedy, note), names in by_text.items()
    ]


def _named(names: t.Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
