# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: renewal_conflicts
short_description: Whether windows, freezes and limits leave what is due enough time
version_added: 0.2.0
description:
  - Takes what hosts declare, and returns a sentence that says why something of it may become due and not be renewed
    before its floor, with the option, its value and what helps. Where all will be renewed in time, the list is empty.
  - It looks at every week from now to a year after the last freeze, at most eleven years ahead. A time in which renewal
    is allowed counts when a run begins in it for sure, so when it is as long as O(every) and O(spread) together.
  - Asks nobody. The role P(keystead.identity.renew#role) refuses what it returns.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  _input:
    description: >-
      What each host declares, a list of identities as in
      O(keystead.identity.machine_identity#module:identities).
    type: dict
    required: true
  windows:
    description: When renewal is allowed, as in O(keystead.identity.renewals#filter:windows).
    type: list
    elements: str
    default: []
  freezes:
    description: When it is not, as in O(keystead.identity.renewals#filter:freezes).
    type: list
    elements: dict
    default: []
  timezone:
    description: The time zone of windows and freezes.
    type: str
    default: UTC
  floor:
    description: How much has to be left when it is renewed, as in O(keystead.identity.renewals#filter:floor).
    type: str
    default: 5%
  at_most:
    description: How many identities a run renews at most.
    type: int
    default: 100
  every:
    description: How often a run begins.
    type: str
    default: 1h
  spread:
    description: By how much it may be late, no more than O(every).
    type: str
    default: 30m
  now:
    description: From when on it is asked, in ISO 8601. The default is now.
    type: str
seealso:
  - plugin: keystead.identity.renewals
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Two hours on Sunday are enough for identities that live 30 days
  ansible.builtin.assert:
    that: declared | keystead.identity.renewal_conflicts(windows=['sun 02:00-04:00']) == []
  vars:
    declared:
      web1:
        - name: web
          lifetime: 30d
"""

RETURN = r"""
_value:
  description: The sentences.
  type: list
  elements: str
  sample:
    - >-
      windows: from Sun 2026-11-29 04:00 UTC to Sun 2026-12-06 02:00 UTC nothing is renewed, so what is due may wait for
      7d 1h; web on web1 has 1d 23h 2m between renew_before 33% of 7d and the floor; declare more windows, a longer
      renew_before, or a lower floor
"""

import typing as t

from ..module_utils._core.errors import Misconfigured
from ..plugin_utils._renewing.calendar import calendar
from ..plugin_utils._renewing.edge import clock, count, duration, filtered
from ..plugin_utils._renewing.pace import Pace, conflict
from ..plugin_utils._renewing.wishes import wishes


def renewal_conflicts(  # noqa: PLR0913 - its options, by their names
    value: t.Any,
    *,
    windows: t.Sequence[str] = (),
    freezes: t.Sequence[t.Any] = (),
    timezone: str = "UTC",
    floor: str = "5%",
    at_most: int = 100,
    every: str = "1h",
    spread: str = "30m",
    now: str | None = None,
) -> list[str]:
    """Return why something may not be renewed in time; nothing where everything will be."""

    def work() -> list[str]:
        when = calendar(windows, freezes, timezone)
        pace = Pace(duration(every, "every", 60), duration(spread, "spread", 0), count(at_most))
        if pace.spread > pace.every:
            raise Misconfigured(f"spread: {spread} is longer than every {every}, so runs would be left out; shorten it")
        found = conflict(wishes(value), when, floor, pace, clock(now))
        return [] if found is None else [found]

    return filtered("renewal_conflicts", value, work)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return it by name."""
        return {"renewal_conflicts": renewal_conflicts}
