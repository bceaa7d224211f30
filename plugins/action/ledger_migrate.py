# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of ledger_migrate: it runs on the controller and never touches a host."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._options.common import COMMON
from ..module_utils._options.ledger import MIGRATE
from ..module_utils._options.option import spec
from ..module_utils._options.planned import refuse_planned
from ..plugin_utils._edge import refuse_async, told
from ..plugin_utils._ledger.upkeep import migrated
from ..plugin_utils._validate import plain, validated

NAME = "ledger_migrate"


class ActionModule(ActionBase):
    """Make the schema, or bring it to this release, and give roles their rights."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Validate the options and migrate."""
        return told(NAME, lambda: self._run(tmp, task_vars))

    def _run(self, tmp: str | None, variables: dict[str, t.Any] | None) -> dict[str, t.Any]:
        refuse_async(self._task, NAME)
        given = plain(self._task.args)
        refuse_planned(given, NAME)
        options = validated(given, spec(MIGRATE, COMMON), module=NAME)
        done = migrated(options, check=self._task.check_mode)
        result = {
            **super().run(tmp, variables),
            "changed": done.changed,
            "schema": {"before": done.before, "after": done.after},
            "grants": list(done.grants),
        }
        if self._task.diff:
            lines = [f"schema {done.after}", *done.grants]
            result["diff"] = {"before": f"schema {done.before}\n", "after": "\n".join(lines) + "\n"}
        return result
