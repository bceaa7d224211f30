# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What fails at a moment: what a policy says then, what will have ended or not begun by then, and what is revoked."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied, printable
from .._ledger.moments import stamp
from .._policy.found import LONGEST
from .._policy.leave import check_leave
from .._policy.policy import ENFORCE, LATER, WARN

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._policy.policy import Policy
    from .subject import Fields, Subject

POLICY, REVOKED, ENDED, NOT_YET = "policy", "revoked", "ended", "not_valid_yet"
_ORDER = (REVOKED, NOT_YET, POLICY, ENDED)
SEVERITIES = (ENFORCE, WARN, LATER)


class Failure(t.NamedTuple):
    """One thing that fails: whose, by which code, and by a policy's rule, what is wrong and what to change."""

    subject: Subject
    code: str
    severity: str
    value: str
    remedy: str
    rule: str | None = None
    note: str = ""

    @property
    def mark(self) -> Mark:
        """What makes it the same failure on two days."""
        row = self.subject.row
        place = row.key if row is not None else (self.subject.candidate.host, self.subject.candidate.name)
        return Mark(place, self.code, self.rule, self.severity, self.value)


class Mark(t.NamedTuple):
    """What tells failures apart."""

    place: tuple[t.Any, ...]
    code: str
    rule: str | None
    severity: str
    value: str


def failures(subjects: t.Iterable[Subject], policy: Policy, at: datetime) -> list[Failure]:
    """Return what fails at a moment: what is revoked, what is not valid yet, breaches of the policy, what has ended."""
    found = [one for subject in subjects for one in _of(subject, policy, stamp(at))]
    return sorted(found, key=lambda one: (_ORDER.index(one.code), SEVERITIES.index(one.severity)))


def breaches(subjects: t.Iterable[Subject], policy: Policy, kinds: t.Collection[str] = ()) -> list[Failure]:
    """Return what a policy alone says, by all of its rules or only by those of these kinds."""
    return [breach for one in subjects for breach in _breaches(one, policy, kinds)]


def said(failure: Failure) -> Fields:
    """Return a failure as the task returns it."""
    rule = f"rule {failure.rule}: " if failure.rule else ""
    note = f" ({failure.note})" if failure.note else ""
    text = f"{failure.subject.called}: {rule}{failure.value}; {failure.remedy}{note}"
    return {
        **failure.subject.who, "code": failure.code, "rule": failure.rule, "severity": failure.severity,
        "value": _cut(failure.value), "remedy": _cut(failure.remedy), "note": _cut(failure.note), "msg": _cut(text),
    }  # fmt: skip


def _cut(text: str) -> str:
    return printable(text[:LONGEST])


def _of(subject: Subject, policy: Policy, at: str) -> t.Iterator[Failure]:
    yield from breaches((subject,), policy)
    row = subject.row
    if row is not None and row.revoked_at is not None and row.revoked_at <= at:
        value = f"revoked since {row.revoked_at[:16]}Z ({row.revocation_reason}), and in use"
        yield Failure(subject, REVOKED, ENFORCE, value, _renew(subject))
    if row is not None and row.not_before is not None and row.not_before > at:
        value = f"its certificate is not valid before {row.not_before[:16]}Z, and in use"
        yield Failure(subject, NOT_YET, WARN, value, f"look at the clock of who signed it, or {_renew(subject)}")
    if (end := subject.end) is not None and end < at:
        yield ended(subject)


def ended(subject: Subject) -> Failure:
    """Return that what has an end will have ended."""
    return Failure(subject, ENDED, WARN, f"its certificate ends on {(subject.end or '')[:10]}", _renew(subject))


def _renew(subject: Subject) -> str:
    return "run its task" if subject.row is not None and subject.row.managed else "replace it where it is"


def _breaches(subject: Subject, policy: Policy, kinds: t.Collection[str]) -> t.Iterator[Failure]:
    for one in policy.verdicts(subject.candidate, kinds):
        yield Failure(subject, POLICY, one.severity, one.value, one.remedy, one.rule, one.note)
    if subject.row is None:
        try:
            check_leave(policy, subject.candidate)
        except Denied as error:
            value, _semicolon, remedy = str(error).removeprefix("policy: ").partition("; ")
            yield Failure(subject, POLICY, ENFORCE, value, remedy)
