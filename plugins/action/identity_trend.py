# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_trend: it runs on the controller and never touches a host."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._options.common import COMMON
from ..module_utils._options.identity_trend import OPTIONS
from ..module_utils._options.option import spec
from ..plugin_utils._controller_action import ControllerAction
from ..plugin_utils._trend.converge import keep


class ActionModule(ControllerAction):
    """Compare what was found with the last run, and keep it."""

    module = "identity_trend"
    accepts = spec(COMMON, OPTIONS)

    def work(self, args: t.Mapping[str, t.Any], _variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""
        return keep(args, datetime.now(UTC), check=bool(self._task.check_mode))
