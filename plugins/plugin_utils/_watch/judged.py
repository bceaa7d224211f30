# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How something stands that ends: by the time that is left, and by the share of its life that this is (ADR 40)."""

from __future__ import annotations

import typing as t
from datetime import UTC, timedelta

from ...module_utils._core.errors import Misconfigured
from .._durations import seconds

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from .._endings import Ending

WHO = "identity_watch"
STATES = ("ok", "unknown", "warning", "critical")
"""From the best to the worst; their places are the values of the metric."""
LAST_THIRD, LAST_TENTH = 3, 10

Record = dict[str, t.Any]


class Limits(t.NamedTuple):
    """How much time has to be left. No more is asked for than a third, or a tenth, of a whole life."""

    warning: timedelta
    critical: timedelta

    def state(self, ends: datetime, begins: datetime | None, now: datetime) -> str:
        """Return how what ends then stands."""
        left = ends - now
        life = ends - begins if begins is not None and ends > begins else None
        if left <= timedelta() or left < _least(self.critical, life, LAST_TENTH):
            return "critical"
        return "warning" if left < _least(self.warning, life, LAST_THIRD) else "ok"


def _least(limit: timedelta, life: timedelta | None, share: int) -> timedelta:
    return limit if life is None else min(limit, life / share)


def limits(args: t.Mapping[str, t.Any]) -> Limits:
    """Read the options. Raises Misconfigured."""
    found = Limits(duration(args, "warning"), duration(args, "critical"))
    if found.critical > found.warning:
        wrong = f"option critical: {args['critical']} is longer than warning, {args['warning']}"
        raise Misconfigured(f"{WHO}: {wrong}; write a shorter one")
    return found


def duration(args: t.Mapping[str, t.Any], option: str) -> timedelta:
    """Read one option. Raises Misconfigured."""
    try:
        return timedelta(seconds=seconds(args[option]))
    except Misconfigured as error:
        raise Misconfigured(f"{WHO}: option {option}: {error}") from None


def record(one: Ending, limits: Limits, now: datetime) -> Record:
    """Return what is told of one thing."""
    state = one.state or ("ok" if one.ends is None else limits.state(one.ends, one.begins, now))
    ends = one.ends.astimezone(UTC) if one.ends is not None else None
    return {
        "what": one.what,
        "name": one.name,
        "state": state,
        "found": one.found or _said(ends, now),
        "remedy": "" if state == "ok" else one.remedy,
        "expires_at": f"{ends:%Y-%m-%dT%H:%M:%SZ}" if ends is not None else None,
    }


def _said(ends: datetime | None, now: datetime) -> str:
    if ends is None:
        return "it does not end"
    return f"it {'has ended' if ends <= now else 'ends'} on {ends:%Y-%m-%d} at {ends:%H:%M} UTC"


def worst_first(found: Iterable[Record]) -> list[Record]:
    """Return each thing once, as the worst that was said of it, the worst things first."""
    kept: dict[tuple[str, str], Record] = {}
    for one in found:
        key = (one["what"], one["name"])
        if key not in kept or STATES.index(one["state"]) > STATES.index(kept[key]["state"]):
            kept[key] = one
    return sorted(kept.values(), key=lambda one: (-STATES.index(one["state"]), one["what"], one["name"]))


def worded(error: Exception) -> tuple[str, str]:
    """Return what an error found and what helps, which follows its first semicolon."""
    found, _semicolon, remedy = str(error).partition("; ")
    return found, remedy
