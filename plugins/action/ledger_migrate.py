# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of ledger_migrate: it runs on the controller and never touches a host."""

from __future__ import annotations

import typing as t

from ..module_utils._options.common import COMMON
from ..module_utils._options.ledger import MIGRATE
from ..module_utils._options.option import spec
from ..plugin_utils._controller_action import ControllerAction
from ..plugin_utils._ledger.upkeep import migrated


class ActionModule(ControllerAction):
    """Make the schema, or bring it to this release, and give roles their rights."""

    module = "ledger_migrate"
    accepts = spec(MIGRATE, COMMON)

    def work(self, args: t.Mapping[str, t.Any], _variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the task returns."""
        done = migrated(args, check=self._task.check_mode)
        result: dict[str, t.Any] = {
            "changed": done.changed,
            "schema": {"before": done.before, "after": done.after},
            "grants": list(done.grants),
        }
        if self._task.diff:
            lines = [f"schema {done.after}", *done.grants]
            result["diff"] = {"before": f"schema {done.before}\n", "after": "\n".join(lines) + "\n"}
        return result
