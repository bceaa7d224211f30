# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The difference of two policies over the same things: what one refuses that the other does not."""

from __future__ import annotations

import typing as t

from .failure import SEVERITIES, Failure, breaches, said
from .not_judged import not_judged

if t.TYPE_CHECKING:
    from .._policy.policy import Policy
    from .subject import Fields, Subject


def difference(subjects: t.Sequence[Subject], policy: Policy, other: Policy, limit: int) -> Fields:
    """Return what would begin to fail if the other policy took the place of this one, what would end to, and the rest.

    Rules of two files are the same where they find the same, whatever they are called; `changes` are those of which
    only the severity would be another one.
    """
    now, then = _by_mark(breaches(subjects, policy)), _by_mark(breaches(subjects, other))
    found = {
        "begins": [one for mark, one in then.items() if mark not in now],
        "ends": [one for mark, one in now.items() if mark not in then],
        "changes": [one for mark, one in then.items() if mark in now and one.severity != now[mark].severity],
    }
    totals = {name: len(some) for name, some in found.items()}
    return {
        "policy": other.source,
        **{name: [said(one) for one in some[:limit]] for name, some in found.items()},
        "totals": {**totals, "both": len(now) - totals["ends"]},
        "not_judged": not_judged(other, subjects),
    }


def _by_mark(found: t.Iterable[Failure]) -> dict[tuple[t.Any, ...], Failure]:
    lightest_first = sorted(found, key=lambda one: -SEVERITIES.index(one.severity))
    return {one.mark._replace(rule=None, severity=""): one for one in lightest_first}
