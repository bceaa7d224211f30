# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The controller's half of trust_bundle."""

from __future__ import annotations

import typing as t

from ..module_utils._options.common import COMMON
from ..module_utils._options.option import spec
from ..module_utils._options.trust_bundle import OPTIONS
from ..plugin_utils._action import HostAction
from ..plugin_utils._trust_bundle.converge import converge

if t.TYPE_CHECKING:
    from ..plugin_utils._action import Task


class ActionModule(HostAction):
    """Look, decide, act, look again."""

    module = "trust_bundle"
    accepts = spec(COMMON, OPTIONS)

    def work(self, args: t.Mapping[str, t.Any], task: Task) -> dict[str, t.Any]:
        """Return what the task returns."""
        return converge(args, task)
