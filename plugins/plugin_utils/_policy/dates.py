# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The days on which a policy changes by itself: dated values, rules that begin to be enforced, waivers that end."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._durations import shown

_DURATIONS = ("longest", "shortest")


class Change(t.NamedTuple):
    """What becomes different on a day (ISO 8601), as a sentence without its end, and of which rule (by its id)."""

    day: str
    text: str
    rule: str


def changes(compiled: t.Mapping[str, t.Any]) -> list[Change]:
    """Return all changes of a compiled policy, in the order of their days."""
    found = [one for rule in compiled["rules"] for one in _of_rule(rule)]
    found += [one for waiver in compiled["waivers"] for one in _of_waiver(waiver)]
    return sorted(found)


def _of_rule(rule: t.Mapping[str, t.Any]) -> t.Iterator[Change]:
    if rule["enforce_from"]:
        yield Change(rule["enforce_from"], f"rule {rule['id']} is enforced", rule["id"])
    for name, value in rule["says"].items():
        for day, one in value["steps"] if isinstance(value, dict) else ():
            yield Change(day, f"rule {rule['id']}: {rule['kind']} {name} becomes {_said(name, one)}", rule["id"])


def _of_waiver(waiver: t.Mapping[str, t.Any]) -> t.Iterator[Change]:
    until = dt.date.fromisoformat(waiver["until"])
    if until == dt.date.max:
        return  # it has no end
    after = until + dt.timedelta(days=1)
    text = f"the waiver of {waiver['contact']} for rule {waiver['rule']} has ended"
    yield Change(after.isoformat(), text, waiver["rule"])


def _said(name: str, value: t.Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return shown(value) if name in _DURATIONS else str(value)
