# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A compiled policy, ready to judge: which rules hold for whom today, and which findings are waived."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .breach import matches
from .candidate import OTHER
from .change import adds
from .rules import RULES, is_one_of, named_type
from .told import NotTold, first, told
from .weak_lists import WeakLists

if t.TYPE_CHECKING:
    from .breach import Breach, Rule, Says
    from .candidate import Candidate

ENFORCE, WARN, LATER = "enforce", "warn", "later"
_IDENTITIES = ("x509", "ssh_host")  # an authority is judged by rules that name it
_ABOUT_KEYS = dict.fromkeys(("key_type", "key_size", "extractable_keys"), (*_IDENTITIES, "key"))


class Verdict(t.NamedTuple):
    """A finding: by which rule, about what, how severe, the value, the remedy, and what else there is to know.

    `later` is the severity of a rule that is not enforced yet: what is live already may stay as it is until then.
    """

    rule: str
    name: str
    severity: str
    value: str
    remedy: str
    note: str = ""


class Policy:
    """The rules of one policy as they are today. `source` is its file; `today` an ISO 8601 day."""

    def __init__(self, compiled: t.Mapping[str, t.Any], source: str, today: str) -> None:
        """Choose the values that hold today."""
        self.source, self.today = source, today
        self.rules = [_Bound(rule, today, source) for rule in compiled["rules"]]
        lists = (rule.says["lists"] for rule in self.rules if rule.kind == "weak_keys")
        self.weak_lists: list[str] = [path for one in lists for path in one.paths]
        self._waivers = compiled["waivers"]
        limits = [rule.says["longest"] for rule in self.rules if rule.kind == "key_age"]
        self.youngest_limit: int | None = min((one for one in limits if one is not None), default=None)

    def verdicts(self, candidate: Candidate, kinds: t.Collection[str] = ()) -> list[Verdict]:
        """Return the findings about a candidate, of all rules or only of these kinds."""
        found, asked = [], told(candidate)
        for rule in self.rules:
            if not kinds or rule.kind in kinds:
                try:
                    breach = rule.breach(asked)
                except NotTold:
                    continue
                if breach is not None:
                    found.append(self._verdict(rule, candidate, breach))
        return found

    def not_told(self, candidate: Candidate) -> list[tuple[str, str]]:
        """Return the rules that cannot tell whether a candidate breaks them, by their ids, and what they ask for."""
        found, asked = [], told(candidate)
        for rule in self.rules if candidate.untold else ():
            try:
                rule.breach(asked)
            except NotTold as error:
                found.append((rule.id, str(error)))
        return found

    def judges(self, kind: str, candidate: Candidate) -> bool:
        """Tell whether a rule of a kind is about a candidate."""
        return any(rule.kind == kind and rule.holds_for(candidate) for rule in self.rules)

    def speaks_of(self, kind: str, said: str, candidate: Candidate) -> bool:
        """Tell whether a rule of a kind that is about a candidate says something by this name."""
        return any(rule.kind == kind and said in rule.says and rule.holds_for(candidate) for rule in self.rules)

    def spares(self, rule: str, candidate: Candidate, live: Candidate) -> bool:
        """Tell whether what is live breaks the rule with this id, and a candidate adds nothing to that."""
        return any(
            one.holds_for(live)
            and one.judge(live, one.says) is not None
            and not adds(one.kind, one.judge, one.says, candidate, live)
            for one in self.rules
            if one.id == rule
        )

    def _verdict(self, rule: _Bound, candidate: Candidate, breach: Breach) -> Verdict:
        severity, note = rule.severity, rule.because
        if rule.enforce_from and self.today < rule.enforce_from:
            severity, note = LATER, _joined(f"enforced from {rule.enforce_from}", note)
        ended = ""
        for waiver in self._waivers if severity != WARN else ():
            if waiver["rule"] != rule.id or not _is_waived(waiver["only"], told(candidate)):
                continue
            if self.today <= waiver["until"]:
                severity, ended = WARN, ""
                note = _joined(f"waived until {waiver['until']} by {waiver['contact']}", note)
                break
            ended = f"the waiver of {waiver['contact']} ended on {waiver['until']}"
        return Verdict(rule.id, candidate.name, severity, breach.value, breach.remedy, _joined(ended, note))


class _Bound:
    """A rule with the values that hold today."""

    def __init__(self, rule: t.Mapping[str, t.Any], today: str, source: str) -> None:
        self.id, self.kind, self.severity = rule["id"], rule["kind"], rule["severity"]
        self.enforce_from, self.because, self.only = rule["enforce_from"], rule["because"], rule["only"]
        self.judge: Rule = RULES[self.kind]
        self.says: Says = {name: at(value, today) for name, value in rule["says"].items()}
        if self.kind == "weak_keys":
            self.says = {"lists": WeakLists(self.says["lists"], Path(source).absolute().parent)}
        self._kinds = self.only.get("kinds", _ABOUT_KEYS.get(self.kind, _IDENTITIES))
        self._only = {name: value for name, value in self.only.items() if name != "kinds"}

    def is_about(self, kinds: t.Collection[str]) -> bool:
        return not set(kinds).isdisjoint(self._kinds)

    def holds_for(self, candidate: Candidate) -> bool:
        return candidate.kind in self._kinds and (not self._only or _is_meant(self._only, candidate))

    def breach(self, candidate: Candidate) -> Breach | None:
        """Judge a candidate that the rule is about. Raises NotTold where it cannot tell."""
        try:
            if not self.holds_for(candidate):
                return None
        except NotTold:
            if self.judge(candidate, self.says) is None:
                return None  # whether it is about it or not
            raise
        return self.judge(candidate, self.says)


def at(value: t.Any, today: str) -> t.Any:
    """Return what a value is today; None for one that begins to hold later."""
    if not isinstance(value, dict):
        return value
    now = None
    for day, one in value["steps"]:
        if day <= today:
            now = one
    return now


def _is_meant(only: t.Mapping[str, t.Any], candidate: Candidate) -> bool:
    return not first(lambda one: not _SELECTORS[one[0]](candidate, one[1]), only.items())


def _is_waived(only: t.Mapping[str, t.Any], candidate: Candidate) -> bool:
    try:
        return _is_meant(only, candidate)
    except NotTold:
        return False


_SELECTORS: t.Mapping[str, t.Callable[[Candidate, t.Any], bool]] = {
    "kinds": lambda candidate, wanted: candidate.kind in wanted,
    "identities": lambda candidate, wanted: matches(candidate.name, wanted),
    "hosts": lambda candidate, wanted: matches(candidate.host, wanted),
    "groups": lambda candidate, wanted: not set(wanted).isdisjoint(candidate.groups),
    "services": lambda candidate, wanted: candidate.service is not None and matches(candidate.service, wanted),
    "profiles": lambda candidate, wanted: _has_profile(candidate) in wanted,
    "key_types": lambda candidate, wanted: named_type(candidate.key_type) in wanted,
    "custody": lambda candidate, wanted: candidate.custody in wanted,
    "issuers": lambda candidate, wanted: is_one_of(candidate.issuer, wanted),
}


def _has_profile(candidate: Candidate) -> str:
    if candidate.profile == OTHER:
        raise NotTold("profile")  # it may serve as one of these all the same
    return candidate.profile


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))
