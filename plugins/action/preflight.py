# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The controller's half of preflight."""

from __future__ import annotations

import typing as t

from ..module_utils._options.common import COMMON
from ..module_utils._options.machine_identity import PREFLIGHT
from ..module_utils._options.option import spec
from ..plugin_utils._action import HostAction
from ..plugin_utils._inventory import place
from ..plugin_utils._preflight import checked, complete, preflight

if t.TYPE_CHECKING:
    from ..plugin_utils._action import Task


class ActionModule(HostAction):
    """Look at what a run would need, and change nothing."""

    module = "preflight"
    accepts = spec(COMMON, PREFLIGHT)

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Look; options that are refused are a finding as well."""
        host = place(task_vars or {}).host
        return complete(super().run(tmp, task_vars), host)

    def work(self, args: t.Mapping[str, t.Any], task: Task) -> dict[str, t.Any]:
        """Return what the task returns."""
        pipelining = bool(self._is_pipelining_enabled("new"))
        return preflight(checked(args), task, pipelining=pipelining)
