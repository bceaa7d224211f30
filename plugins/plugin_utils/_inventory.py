# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which host of the inventory a task is for: of Ansible itself, since a variable may call it anything."""

from __future__ import annotations

import multiprocessing
import typing as t

HERE = "localhost"
"""The address of a host that is the controller itself, whatever it is called."""


class Place(t.NamedTuple):
    """A host by its name in the inventory, and its groups there, without `all`."""

    host: str
    groups: tuple[str, ...] = ()


def place(variables: t.Mapping[str, t.Any]) -> Place:
    """Return the host of the inventory that this process, a worker of Ansible, was forked for.

    inventory_hostname and group_names are variables like others: tasks, set_fact and -e may give them other values.
    They hold only where a program calls an action itself, and so without a worker and an inventory.
    """
    host = getattr(multiprocessing.current_process(), "_host", None)
    if host is None:
        groups = variables.get("group_names") or ()
        return Place(str(variables.get("inventory_hostname", "localhost")), tuple(map(str, groups)))
    return Place(str(host.name), tuple(sorted(str(one.name) for one in host.get_groups() if one.name != "all")))
