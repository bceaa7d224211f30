# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run one playbook, time it, and refuse a run that did not do what it was to do."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
import typing as t
from pathlib import Path

PLAYBOOKS = Path(__file__).resolve().parent / "playbooks"
FORKS = "10"
RECAP = re.compile(
    r"^(?P<host>\S+)\s+: ok=\d+\s+changed=(?P<changed>\d+)\s+unreachable=(?P<away>\d+)\s+failed=(?P<failed>\d+)"
)


class Run(t.NamedTuple):
    """Seconds by the clock, and seconds of processor time of everything that was started."""

    wall: float
    cpu: float


class Unexpected(Exception):
    """A playbook did not do what the measurement presumes."""


def play(
    name: str,
    inventory: Path,
    *,
    changes: bool,
    options: t.Sequence[str] = (),
    environment: t.Mapping[str, str] | None = None,
    **said: t.Any,
) -> Run:
    """Run a playbook with the variables in `said`; `changes` is what every host's recap must show."""
    playbook = str(PLAYBOOKS / f"{name}.yml")
    argv = ["ansible-playbook", "-i", str(inventory), "-f", FORKS, "-e", json.dumps(said), *options, playbook]
    cpu, start = _cpu(), time.monotonic()
    env = {**os.environ, **(environment or {})}
    ran = subprocess.run(argv, check=False, capture_output=True, text=True, env=env)  # noqa: S603 - our own playbooks
    run = Run(time.monotonic() - start, _cpu() - cpu)
    wrong = f"exit code {ran.returncode}" if ran.returncode else _wrong(ran.stdout, changes=changes)
    if wrong:
        raise Unexpected(f"{name}: {wrong}\n{ran.stdout[-4000:]}{ran.stderr[-4000:]}")
    return run


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wrong(output: str, *, changes: bool) -> str | None:
    """Return what is wrong with a run's recap."""
    recap = [found for line in output.splitlines() if (found := RECAP.match(line))]
    if not recap:
        return "there is no recap"
    for host in recap:
        if int(host["failed"]) or int(host["away"]):
            return f"{host['host']} failed"
        if changes != bool(int(host["changed"])):
            return f"{host['host']} has changed={host['changed']}, {'some' if changes else 'no'} change was expected"
    return None


def give_up(error: Exception) -> t.NoReturn:
    """End the benchmark: what did not do its work has no time."""
    sys.exit(f"bench: {error}")
