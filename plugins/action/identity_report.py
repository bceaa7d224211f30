# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_report: it runs on the controller and never touches a host."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._options.common import COMMON
from ..module_utils._options.identity_report import OPTIONS
from ..module_utils._options.option import spec
from ..plugin_utils._controller_action import ControllerAction
from ..plugin_utils._identity_report.converge import Setting, report


class ActionModule(ControllerAction):
    """Look at everything that is known, and write it down."""

    module = "identity_report"
    accepts = spec(COMMON, OPTIONS)

    def work(self, args: t.Mapping[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""
        hosts = tuple(map(str, (variables.get("groups") or {}).get("all", ())))
        return report(args, Setting(check=bool(self._task.check_mode), hosts=hosts), datetime.now(UTC))
