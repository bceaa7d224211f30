# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether what was planned may be done now: it is still true, or not, and then what differs. Pure."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...module_utils._core.model import Step
    from .document import Entry, Plan

MOST_SHOWN = 5
LONGEST_SHOWN = 300
LEDGER = "ledger"
"""Under this name, among what is declared, is the digest of the id of the ledger."""
_LEFT_BEHIND = ("destroy", "")


class History(t.NamedTuple):
    """What the ledger knows of a plan: since when it was begun, and when it was carried out (RFC 3339, UTC)."""

    begun: str | None = None
    done: str | None = None


class Verdict(t.NamedTuple):
    """What is to be done with a plan. `refused` says why not; else a run `acts`, or has nothing to do, as `told`."""

    acts: bool = False
    told: str = ""
    refused: str = ""


def judge(planned: Plan, now: Plan, history: History) -> Verdict:
    """Compare a plan with what is found and decided now."""
    to_do = [what for entry in now.entries for what in _steps_of(entry)]
    if history.done:
        once = f"was carried out at {history.done}"
        if not to_do:
            return Verdict(told=f"{once}; nothing is left to do")
        return Verdict(refused=f"{once}, and is carried out once only; since then there is more to do: {few(to_do)}")
    changes = [*differences(planned, now)]
    if not changes:
        return Verdict(acts=bool(to_do), told="" if to_do else "has no steps; there is nothing to do")
    if history.begun:
        changes = [*_beyond(planned, now)]
        if not changes:
            told = f"was begun at {history.begun} by a run that did not end well; what was left of it is done"
            return Verdict(acts=True, told=told)
        return Verdict(refused=f"was begun at {history.begun}, and what is left is something else: {few(changes)}")
    return Verdict(refused=f"is stale: {few(changes)}")


def few(what: t.Sequence[str]) -> str:
    """Return some of many things in one line."""
    more = f"; and {len(what) - MOST_SHOWN} more" if len(what) > MOST_SHOWN else ""
    return "; ".join(what[:MOST_SHOWN]) + more


def declared_otherwise(planned: Plan, declared: Mapping[str, str]) -> list[str]:
    """Return the options that are not what they were; beside which ledger it was planned is none."""
    names = sorted({*planned.declared, *declared} - {LEDGER})
    return [name for name in names if planned.declared.get(name) != declared.get(name)]


def is_of_another_task(planned: Plan, now: Plan) -> bool:
    """Tell whether two plans have nothing in common: no identity or certificate, and no selection of certificates.

    What a selection finds is another certificate each time, where it sweeps.
    """
    names, others = ({one.name for one in plan.entries} for plan in (planned, now))
    said, elsewhere = (
        {digest for option, digest in plan.declared.items() if option.startswith("certificates[")}
        for plan in (planned, now)
    )
    return bool(names and others) and not names & others and not said & elsewhere


def differences(planned: Plan, now: Plan) -> Iterator[str]:
    """Yield what is found, or would be done, otherwise than planned. The wording of a reason is no difference."""
    before, after = ({one.name: one for one in plan.entries} for plan in (planned, now))
    yield from (f"{name} was planned, and is not there any more" for name in before if name not in after)
    for name, one in after.items():
        if name not in before:
            yield f"{name} was not planned"
        else:
            yield from (f"{name}: {what}" for what in changed(before[name], one))


def changed(planned: Entry, now: Entry) -> Iterator[str]:
    """Yield in what an entry is not as planned."""
    yield from _facts(planned.observed, now.observed)
    before, after = ({_what(step): step for step in one.steps} for one in (planned, now))
    yield from (f"not planned is to {_told(step)}" for what, step in after.items() if what not in before)
    yield from (f"not needed any more is to {_told(step)}" for what, step in before.items() if what not in after)


def _facts(before: Mapping[str, t.Any], after: Mapping[str, t.Any], within: str = "") -> Iterator[str]:
    for name in sorted({*before, *after}):
        was, found, called = before.get(name), after.get(name), within + name.replace("_", " ")
        if was == found:
            continue
        if isinstance(was or {}, dict) and isinstance(found or {}, dict):
            yield from _facts(was or {}, found or {}, f"{called}: ")
        elif isinstance(was or [], list) and isinstance(found or [], list):
            yield from (f"{called} has {_shown(one)} now" for one in found or [] if one not in (was or []))
            yield from (f"{called} no longer has {_shown(one)}" for one in was or [] if one not in (found or []))
        else:
            yield f"{called} was {_shown(was)}, is {_shown(found)}"


def _beyond(planned: Plan, now: Plan) -> Iterator[str]:
    """Yield what is to be done and is no rest of what was planned.

    Of an entry that is not as planned any more, that run has done a part: the rest of it are steps of the plan, and to
    clear up what it left half done. A credential is issued only for whom the generation of the plan is still the
    current one: else it would be the next.
    """
    before = {one.name: one for one in planned.entries}
    for one in now.entries:
        plan = before.get(one.name)
        if plan is None:
            yield f"{one.name} was not planned"
            continue
        steps = {*(_what(step) for step in plan.steps), _LEFT_BEHIND}
        extra = [step for step in one.steps if _what(step) not in steps]
        if any(step.action == "issue" for step in one.steps):
            extra += [step for step in one.steps if step.action == "issue" and not _is_same_generation(plan, one)]
        yield from (f"{one.name}: not planned is to {_told(step)}" for step in extra)


def _is_same_generation(planned: Entry, now: Entry) -> bool:
    return all(planned.observed.get(name) == now.observed.get(name) for name in ("generation", "credential"))


def _what(step: Step) -> tuple[str, str]:
    return step.action, step.about


def _told(step: Step) -> str:
    return f"{step.action} ({step.reason})"


def _steps_of(entry: Entry) -> Iterator[str]:
    return (f"{entry.name}: {_told(step)}" for step in entry.steps)


def _shown(value: t.Any) -> str:
    return "none" if value is None else str(value)[:LONGEST_SHOWN]
