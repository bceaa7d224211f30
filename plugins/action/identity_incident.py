# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_incident: it runs on the controller and never touches a host."""

from __future__ import annotations

import typing as t

from ..module_utils._options.common import COMMON
from ..module_utils._options.identity_incident import OPTIONS
from ..module_utils._options.option import spec
from ..plugin_utils._action import playbook_of
from ..plugin_utils._controller_action import ControllerAction
from ..plugin_utils._incident.answer import Setting, answer
from ..plugin_utils._inventory import place


class ActionModule(ControllerAction):
    """Write down what is reached of an incident, and say what is known of it."""

    module = "identity_incident"
    accepts = spec(COMMON, OPTIONS)

    def work(self, args: t.Mapping[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""
        check = bool(self._task.check_mode)
        return answer(args, Setting(place(variables).host, playbook_of(self._task), check))
