# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What became different since the last run: findings that are new or gone, and counts that rose or fell."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMES = ("code", "rule", "name", "host", "store", "source")
"""What says that two findings are the same one, whatever else is told of them by then."""
_MOST = 5

Finding = dict[str, t.Any]


class Found(t.NamedTuple):
    """What a run has found: its findings, and its counts by name."""

    findings: Sequence[Finding]
    counts: Mapping[str, int]


def compared(before: Found | None, now: Found, previous: str | None) -> dict[str, t.Any]:
    """Return what became different; nothing is new or gone in the first run."""
    old, new = (_by_name(one.findings) if one is not None else {} for one in (before, now))
    first = before is None
    trend = {
        "previous": previous,
        "new": [] if first else [one for key, one in new.items() if key not in old],
        "gone": [one for key, one in old.items() if key not in new],
        "findings": {"before": None if first else len(old), "now": len(new)},
        "counts": {
            name: {"before": before.counts.get(name) if before is not None else None, "now": now.counts.get(name)}
            for name in sorted({*now.counts, *(before.counts if before is not None else ())})
        },
    }
    return {**trend, "sentence": _sentence(trend)}


def _by_name(findings: Sequence[Finding]) -> dict[tuple[str, ...], Finding]:
    return {tuple(str(one.get(name) or "") for name in _NAMES): one for one in findings}


def _sentence(trend: Mapping[str, t.Any]) -> str:
    number = trend["findings"]["now"]
    findings = f"{number} finding{'' if number == 1 else 's'}"
    if trend["previous"] is None:
        return f"{findings} in the first run"
    moved = [
        f"{name} {'rose' if one['now'] > one['before'] else 'fell'} from {one['before']} to {one['now']}"
        for name, one in trend["counts"].items()
        if None not in one.values() and one["now"] != one["before"]
    ]
    more = [f"and {len(moved) - _MOST} counts more moved"] if len(moved) > _MOST else []
    said = f"{findings}, {len(trend['new'])} of them new and {len(trend['gone'])} gone since {trend['previous']}"
    return "; ".join([said, *moved[:_MOST], *more])
