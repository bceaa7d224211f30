# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The controller's half of machine_identity."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import KeysteadError, Misconfigured
from ..module_utils._options.common import COMMON
from ..module_utils._options.machine_identity import OPTIONS
from ..module_utils._options.option import spec
from ..module_utils._options.planned import refuse_planned
from ..plugin_utils._converge import Task, converge
from ..plugin_utils._validate import plain, validated

MODULE = "machine_identity"
SPEC = spec(COMMON, OPTIONS)


class ActionModule(ActionBase):
    """Look, decide, act, look again."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Validate the options and converge."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            refuse_posixless(self._connection)
            args = plain(self._task.args)
            refuse_planned(args, MODULE)
            result.update(converge(validated(args, SPEC, module=MODULE), self._told(variables)))
        except KeysteadError as error:
            raise AnsibleActionFail(str(error)) from None
        return result

    def _told(self, variables: dict[str, t.Any]) -> Task:
        host = str(variables.get("inventory_hostname", "localhost"))

        def execute(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
            answer: dict[str, t.Any] = self._execute_module(
                module_name="keystead.identity.host_half", module_args=arguments, task_vars=variables
            )
            return answer

        return Task(
            host=host,
            playbook=playbook_of(self._task),
            check=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            execute=execute,
            say=(lambda _line: None) if self._task.no_log else (lambda line: Display().display(f"{host}: {line}")),
        )


def refuse_posixless(connection: t.Any) -> None:
    """Refuse a connection to something that is not a POSIX host with Python."""
    transport = str(getattr(connection, "transport", ""))
    if transport.rpartition(".")[2] in ("winrm", "psrp", "network_cli", "netconf", "httpapi", "raw"):
        raise Misconfigured(
            f"{MODULE}: connection {transport} leads to no POSIX host with Python; use ssh or local, or exclude it"
        )


def playbook_of(task: t.Any) -> str | None:
    """Return the file that the task stands in, as the record shows it."""
    path = str(task.get_path() or "")
    return path.rpartition(":")[0].rpartition("/")[2] or None
