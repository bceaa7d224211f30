# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: aggregate
short_description: What a run did to identities, at its end
version_added: 0.1.0
description:
  - Shows how many identities were issued, renewed, changed, unchanged and failed, by host and in total, with the
    reasons, and which certificate expires first.
  - Hosts with the same story share its lines. In check mode it says what would be done.
  - Shows nothing when no task of M(keystead.identity.machine_identity) ran. What C(no_log) hides is not counted.
author:
  - Keystead contributors (@keystead)
requirements:
  - C(keystead.identity.summary) in C(callbacks_enabled) of ansible.cfg, or in the environment variable
    E(ANSIBLE_CALLBACKS_ENABLED)
"""

import typing as t

from ansible import constants
from ansible.plugins.callback import CallbackBase

from ..plugin_utils._summary import Summary

ACTION = "keystead.identity.machine_identity"


class CallbackModule(CallbackBase):
    """Listens to the results of our tasks, and tells of them after the recap."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "keystead.identity.summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **options: t.Any) -> None:
        """Begin with nothing."""
        super().__init__(*args, **options)
        self._summary = Summary()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Take what a task returned."""
        self._take(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002 - Ansible's
        """Take what a failed task returned."""
        self._take(result, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Take that a host could not be reached."""
        self._take(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:  # noqa: ARG002 - Ansible's
        """Show the lines."""
        lines = self._summary.lines()
        if lines:
            self._display.banner("IDENTITIES")
        for line in lines:
            self._display.display(line, color=constants.COLOR_ERROR if line.startswith("  failed") else None)

    def _take(self, result: t.Any, *, ignored: bool = False) -> None:
        task = _part(result, "task")
        if ACTION in (task.resolved_action, task.action):
            host = _part(result, "host").get_name()
            self._summary.add(host, _part(result, "result"), check=bool(task.check_mode), ignored=ignored)


def _part(result: t.Any, name: str) -> t.Any:
    """Return task, host or result; ansible-core 2.18 has them under a name with an underscore only."""
    return getattr(result, name, None) or getattr(result, f"_{name}")
