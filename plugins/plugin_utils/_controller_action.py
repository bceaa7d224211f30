# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the actions share that stay on the controller and never touch a host."""

from __future__ import annotations

import typing as t
from abc import abstractmethod

from ansible.plugins.action import ActionBase

from ..module_utils._options.planned import refuse_planned
from ._edge import refuse_async, told
from ._validate import Spec, validated


class ControllerAction(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Validates what it `accepts`, lets `work` do what there is to do, and says what went wrong."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    module: t.ClassVar[str]
    accepts: t.ClassVar[Spec]

    @abstractmethod
    def work(self, args: t.Mapping[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Validate the options and do the work."""
        return told(self.module, lambda: self._run(tmp, task_vars or {}))

    def _run(self, tmp: str | None, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        refuse_async(self._task, self.module)
        refuse_planned(self._task.args, self.module)
        done = self.work(validated(self._task.args, self.accepts, module=self.module), variables)
        return {**super().run(tmp, variables), **done}
