# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Runs the real ansible-rulebook on a rulebook of this collection until something is true."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import until

PATIENCE = 480.0
Variables = t.Mapping[str, t.Any]


def environment(home: Path) -> dict[str, str]:
    """Return what it needs of an environment: ansible-playbook and Java in PATH, and where the collection is."""
    found = playbook.environment(home)
    beside = str(Path(playbook.program("ansible-playbook")).parent)
    return {**found, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}", "ANSIBLE_ACTION_WARNINGS": "False"}


def run_until(
    condition: t.Callable[[str], bool],
    rulebook: str,
    hosts: t.Mapping[str, Variables],
    variables: Variables,
    home: Path,
    **common: t.Any,
) -> str:
    """Run a rulebook with an inventory of local hosts until the condition is true of what it printed; return that.

    `common` are variables of all hosts, and of localhost, which is in no inventory.
    A playbook runs in a session of its own, so wait for the end of it.
    """
    home.mkdir(exist_ok=True)
    common |= {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    inventory, said, printed = (home / name for name in ("inventory.yml", "variables.yml", "printed"))
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
    said.write_text(json.dumps(variables), encoding="utf-8")
    command = [
        playbook.program("ansible-rulebook"), "--rulebook", rulebook, "--inventory", str(inventory),
        "--vars", str(said), "--print-events",
    ]  # fmt: skip
    with printed.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=home, env=environment(home), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            until(lambda: condition(printed.read_text(encoding="utf-8")) or process.poll() is not None, PATIENCE)
            assert process.poll() is None, printed.read_text(encoding="utf-8")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{printed.read_text(encoding='utf-8')[-6000:]}") from None
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return printed.read_text(encoding="utf-8")
