# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Writes what each task returned to $HOME/results.jsonl, for the tests."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: notification
short_description: Results as JSON lines
description: For the tests.
"""


class CallbackModule(CallbackBase):
    """One line for each host and task: host, task, result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "results"

    def _write(self, result: t.Any, **_other: t.Any) -> None:
        host = getattr(result, "host", None) or result._host
        task = getattr(result, "task", None) or result._task
        said = getattr(result, "result", None) or result._result
        line = json.dumps({"host": host.get_name(), "task": task.get_name(), "result": said}, default=str)
        with (Path.home() / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_unreachable = v2_runner_on_skipped = _write
