# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_policy: it runs on the controller and never touches a host."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._options.common import COMMON
from ..module_utils._options.identity_policy import OPTIONS
from ..module_utils._options.option import spec
from ..plugin_utils._controller_action import ControllerAction
from ..plugin_utils._identity_policy.answer import answer
from ..plugin_utils._inventory import place


class ActionModule(ControllerAction):
    """Judge what is there by a policy, now or on a day to come."""

    module = "identity_policy"
    accepts = spec(COMMON, OPTIONS)

    def work(self, args: t.Mapping[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""
        return answer(args, datetime.now(UTC), place(variables), check=bool(self._task.check_mode))
