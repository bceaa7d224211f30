# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of cert_revoke: it runs on the controller and never touches a host."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ..module_utils._options.cert_revoke import OPTIONS
from ..module_utils._options.common import COMMON
from ..module_utils._options.option import spec
from ..plugin_utils._action import playbook_of
from ..plugin_utils._cert_revoke.converge import Setting, converge
from ..plugin_utils._controller_action import ControllerAction
from ..plugin_utils._inventory import place


class ActionModule(ControllerAction):
    """Look, decide, act, look again."""

    module = "cert_revoke"
    accepts = spec(COMMON, OPTIONS)

    def work(self, args: t.Mapping[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""
        host = place(variables).host
        setting = Setting(
            host=host,
            playbook=playbook_of(self._task),
            check=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            say=(lambda _line: None) if self._task.no_log else (lambda line: Display().display(f"{host}: {line}")),
        )
        return converge(args, setting)
