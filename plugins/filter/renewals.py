# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: renewals
short_description: What a run may renew now, by windows, freezes, a floor and a limit
version_added: 0.2.0
description:
  - Takes the rows of M(keystead.identity.identity_ledger_info) and what hosts declare, and returns what of it is due
    and may be renewed now, the most urgent first; what is due and waits, and why; and what is not declared and should
    be renewed, too.
  - When something is due, its C(renew_before) says, as in M(keystead.identity.machine_identity), with the same jitter.
  - Asks nobody. The role P(keystead.identity.renew#role) renews what it returns.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  _input:
    description: Rows of M(keystead.identity.identity_ledger_info).
    type: list
    elements: dict
    required: true
  declared:
    description: >-
      What each host declares, a list of identities as in
      O(keystead.identity.machine_identity#module:identities).
    type: dict
    required: true
  stores:
    description: The store of each host, where it is not the default one.
    type: dict
    default: {}
  windows:
    description: >-
      When renewal is allowed, each as V(sun 02:00-06:00), V(mon-fri 22:00-04:00), V(sat,sun 00:00-24:00) or
      V(daily 01:00-05:00). A time over midnight belongs to the day on which it begins. Without any, it always is.
    type: list
    elements: str
    default: []
  freezes:
    description: >-
      When it is not, each with C(from), C(to), and a C(reason) if wanted. A day as C(to) is frozen to its end; a moment
      is ISO 8601.
    type: list
    elements: dict
    default: []
  timezone:
    description: The time zone of windows and freezes.
    type: str
    default: UTC
  floor:
    description: >-
      What has less than this left is renewed although no window is open or there is a freeze, a share of its life or a
      duration.
    type: str
    default: 5%
  at_most:
    description:
      - How many are returned as C(selected) at most.
      - What is revoked comes first, then what is still good, by its end, then what has ended. A quarter is kept for
        what is still good and a quarter for what has ended, with less than four by turns, so that what fails in every
        run holds nothing else back.
      - What ends in twice the time that the soonest end leaves is as urgent as that. What is equally urgent takes
        turns, which the moment decides.
    type: int
    default: 100
  now:
    description: The moment that is asked for, in ISO 8601. The default is now.
    type: str
seealso:
  - plugin: keystead.identity.renewal_conflicts
    plugin_type: filter
  - module: keystead.identity.identity_ledger_info
"""

EXAMPLES = r"""
- name: What is in use?
  keystead.identity.identity_ledger_info:
    state:
      - in_use
  register: found
  run_once: true

- name: What would a run renew now?
  ansible.builtin.debug:
    msg: "{{ found.rows | keystead.identity.renewals(declared=declared, windows=['daily 01:00-05:00']) }}"
  vars:
    declared:
      web1:
        - name: web
          lifetime: 30d
  run_once: true
"""

RETURN = r"""
_value:
  description: >-
    What is C(selected), what is due and C(waiting), and what is below the floor and C(undeclared). Each is a list with
    C(host), C(name), C(scope), C(not_after) and C(why).
  type: dict
  sample:
    selected:
      - host: web1
        name: web
        scope: null
        not_after: "2026-12-22T09:00:00Z"
        why: it is due
    waiting: []
    undeclared: []
"""

import typing as t

from ..module_utils._options.machine_identity import DEFAULT_STORE
from ..plugin_utils._renewing.calendar import calendar
from ..plugin_utils._renewing.chosen import Limits
from ..plugin_utils._renewing.chosen import renewals as chosen
from ..plugin_utils._renewing.edge import clock, count, filtered
from ..plugin_utils._renewing.wishes import floor_of, wishes


def renewals(  # noqa: PLR0913 - its options, by their names
    value: t.Any,
    *,
    declared: t.Any,
    stores: t.Mapping[str, str] | None = None,
    windows: t.Sequence[str] = (),
    freezes: t.Sequence[t.Any] = (),
    timezone: str = "UTC",
    floor: str = "5%",
    at_most: int = 100,
    now: str | None = None,
) -> dict[str, t.Any]:
    """Return what is selected, what waits, and what is not declared."""

    def work() -> dict[str, t.Any]:
        moment, wanted = clock(now), wishes(declared)
        floor_of(floor, moment - moment)
        limits = Limits(calendar(windows, freezes, timezone), floor, count(at_most))
        places = {**dict.fromkeys((str(host) for host in declared), DEFAULT_STORE), **(stores or {})}
        return chosen(value, wanted, places, limits, moment)

    return filtered("renewals", value, work)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return it by name."""
        return {"renewals": renewals}
