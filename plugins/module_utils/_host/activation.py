# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Tells a consumer to load a new generation: a systemd unit or a command of the task's."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .command import run

if t.TYPE_CHECKING:
    from .._core.model import Activation

    Outcome = t.Literal["ok", "skipped", "failed"]

# The words of `systemctl is-active` (systemd's unit states); any other answer means that systemctl cannot act here.
RUNNING = ("active", "reloading", "refreshing", "activating")
NOT_RUNNING = ("inactive", "failed", "deactivating", "maintenance", "unknown")
REMEDY = "use activate.command where systemd does not run the consumer"


@dataclass(frozen=True)
class Activated:
    """How an activation ended, in one sentence, and how long it took."""

    outcome: Outcome
    message: str
    seconds: float


def activate(activation: Activation, timeout: float) -> Activated:
    """Reload the unit or run the command, within `timeout` seconds; never raises."""
    started = time.monotonic()
    outcome, message = _activate(activation, started + timeout)
    return Activated(outcome, message, time.monotonic() - started)


def _activate(activation: Activation, deadline: float) -> tuple[Outcome, str]:
    if activation.only_if:
        condition = run(activation.only_if, _left(deadline))
        if condition.exit_code is None:
            return "failed", f"activate.only_if: {condition.problem}"
        if condition.problem:
            return "skipped", f"activate.only_if: {condition.problem}, so nothing was activated"
    if activation.unit:
        return _reload(activation.unit, deadline)
    command = run(activation.command, _left(deadline))
    if command.problem:
        return "failed", f"activate.command: {command.problem}"
    return "ok", f"command {activation.command[0]} succeeded"


def _reload(unit: str, deadline: float) -> tuple[Outcome, str]:
    asked = run(("systemctl", "is-active", "--", unit), _left(deadline))
    if asked.last_line in NOT_RUNNING:
        return _not_running(unit, deadline)
    if asked.last_line not in RUNNING:
        return "failed", f"unit {unit}: {asked.problem or 'systemctl said: ' + asked.last_line}; {REMEDY}"
    reloaded = run(("systemctl", "reload-or-restart", "--", unit), _left(deadline))
    if reloaded.problem:
        return "failed", f"unit {unit} could not be reloaded: {reloaded.problem}"
    return "ok", f"unit {unit} was reloaded"


def _not_running(unit: str, deadline: float) -> tuple[Outcome, str]:
    """Tell a stopped unit from one that does not exist: `is-active` calls both inactive."""
    loaded = run(("systemctl", "show", "--property=LoadState", "--", unit), _left(deadline))
    if loaded.last_line == "LoadState=not-found":
        return "failed", f"unit {unit} does not exist on this host; name one that `systemctl list-unit-files` shows"
    return "skipped", f"unit {unit} is not running, so it was not reloaded"


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())
