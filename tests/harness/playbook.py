# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Runs ansible-playbook, of the interpreter that runs the tests, on this collection, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

Tasks = list[dict[str, t.Any]]
Inventory = str | Path | Mapping[str, Mapping[str, t.Any]]

ONE_HOST: Inventory = {"web1": {}}
RESULTS = "results.jsonl"  # written by callbacks/results.py
_KEPT = ("PATH", "LANG", "TMPDIR", "ANSIBLE_COLLECTIONS_PATH")  # the last one is set by tests/conftest.py


WORKER_LOST = "Could not detach from stdio"
"""What ansible-core 2.21 says now and then of a worker that it lost before its task began: then we run once more."""


def run(
    playbook: str | Path | list[t.Any],
    inventory: Inventory = ONE_HOST,
    *args: str,
    home: Path,
    env: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a playbook to its end: a path, its YAML, a list of plays, or a list of tasks for all hosts.

    `inventory` is what -i takes, or hosts with their variables: these are local connections. `home` is a directory of
    the test: HOME and ANSIBLE_HOME, and where playbook and inventory are written. Nothing else of the environment of
    the tests gets through but `env`. `under` is a command that runs another one.
    """
    home.mkdir(exist_ok=True)
    (home / RESULTS).unlink(missing_ok=True)
    command = [*under, program("ansible-playbook"), "-i", _inventory(inventory, home), *args, _playbook(playbook, home)]
    done = _run(command, home, env)
    if WORKER_LOST in done.stderr:
        done = _run(command, home, env)
    return done


def _run(command: list[str], home: Path, env: Mapping[str, str] | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=home, env=environment(home, env), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=180, check=False,
    )  # fmt: skip


def environment(home: Path, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of such a run, for tests that start one by themselves."""
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_REMOTE_TEMP": str(home / ".ansible" / "tmp"),  # its ~ would be that of the user database
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_PIPELINING": "True",  # the fast way to a host; tests of the other one say so
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callbacks")),
        "ANSIBLE_NOCOLOR": "True",
        "LC_ALL": "C.UTF-8",
        **(env or {}),
    }


def program(name: str) -> str:
    """Return the path of a program beside the interpreter of the tests."""
    return str(Path(sys.executable).with_name(name))


def recap(process: subprocess.CompletedProcess[str]) -> dict[str, dict[str, int]]:
    """Return the counters (ok, changed, failed, ...) of each host, as the recap of a run shows them."""
    lines = process.stdout.rpartition("PLAY RECAP")[2].splitlines()
    return {
        line.partition(":")[0].strip(): {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", line)}
        for line in lines
        if " : " in line
    }


def results(home: Path, host: str = "web1") -> list[dict[str, t.Any]]:
    """Return what each task returned for a host in the last run, in their order."""
    lines = map(json.loads, (home / RESULTS).read_text(encoding="utf-8").splitlines())
    return [line["result"] for line in lines if line["host"] == host]


def _inventory(inventory: Inventory, home: Path) -> str:
    if isinstance(inventory, (str, Path)):
        return str(inventory)
    common = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    path = home / "inventory.json"
    hosts = {name: dict(variables) for name, variables in inventory.items()}
    path.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
    return str(path)


def _playbook(playbook: str | Path | list[t.Any], home: Path) -> str:
    if isinstance(playbook, Path):
        return str(playbook)
    if isinstance(playbook, list):
        plays = playbook if "hosts" in playbook[0] else [{"hosts": "all", "gather_facts": False, "tasks": playbook}]
        playbook = json.dumps(plays)
    path = home / "playbook.yml"
    path.write_text(playbook, encoding="utf-8")
    return str(path)
