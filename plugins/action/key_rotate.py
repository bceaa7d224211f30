# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The controller's half of key_rotate."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._options.common import COMMON
from ..module_utils._options.key_rotate import OPTIONS
from ..module_utils._options.option import spec
from ..plugin_utils._action import HostAction
from ..plugin_utils._converge import converge
from ..plugin_utils._key_rotate.converge import rotate
from ..plugin_utils._rotation import check_one_sort, check_present, made_before

if t.TYPE_CHECKING:
    from ..plugin_utils._action import Task


class ActionModule(HostAction):
    """What machine_identity does, with one more reason to replace a key; or keys by themselves."""

    module = "key_rotate"
    accepts = spec(COMMON, OPTIONS)

    def work(self, args: t.Mapping[str, t.Any], task: Task) -> dict[str, t.Any]:
        """Return what the task returns."""
        check_one_sort(args)
        if args["keys"]:
            return rotate(args, task)
        before = made_before(args, datetime.now(UTC))
        check_present(args["identities"])
        return converge({**args, "purge": False, "made_before": before}, task, self.module)
