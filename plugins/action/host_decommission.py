# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of host_decommission: it runs on the controller and never touches a host."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._options.common import COMMON
from ..module_utils._options.host_decommission import OPTIONS
from ..module_utils._options.option import spec
from ..plugin_utils._action import playbook_of
from ..plugin_utils._controller_action import ControllerAction
from ..plugin_utils._decommission.answer import Setting, answer


class ActionModule(ControllerAction):
    """Say what a host holds, that it is gone, and what became of it."""

    module = "host_decommission"
    accepts = spec(COMMON, OPTIONS)

    def work(self, args: t.Mapping[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""
        host = args["host"] or str(variables["inventory_hostname"])
        setting = Setting(host, playbook_of(self._task), check=bool(self._task.check_mode))
        return answer(args, setting, datetime.now(UTC))
