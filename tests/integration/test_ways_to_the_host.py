# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two ways to a host: a program down the pipe where Ansible would pipeline a module, else the module."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook

if t.TYPE_CHECKING:
    from pathlib import Path

IDENTITY = "keystead.identity.machine_identity"
MODULE = "modules/host_half.py"  # what Ansible says at -vvv when it ships it
EXECUTED = re.compile(r"^<(\S+)> EXEC (.*)$", re.MULTILINE)
SYSTEM = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}  # where Ansible looks for a Python


def task(tmp_path: Path, **keywords: t.Any) -> dict[str, t.Any]:
    """Return a task that gives its host one identity, with keywords of the task."""
    issuer = {"local": {"directory": str(tmp_path / "ca"), "authority": "issuing"}}
    options = {"store": str(tmp_path / "store"), "ledger": f"sqlite:///{tmp_path}/ledger", "issuer": issuer}
    return {IDENTITY: {**options, "identities": [{"name": "web", "dns_names": ["a.example.org"]}]}, **keywords}


@pytest.fixture(autouse=True)
def _authorities(tmp_path: Path) -> None:
    local.two_tiers(tmp_path / "ca")


def run(tmp_path: Path, *tasks: dict[str, t.Any], **variables: t.Any) -> str:
    """Run tasks that must end well, and return what is shown at -vvv."""
    env = {name: variables.pop(name) for name in list(variables) if name.isupper()}
    hosts = {"web1": variables, "web2": {}}
    done = playbook.run(list(tasks), hosts, "-vvv", "--limit", "web1", home=tmp_path / "home", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_pipelined_run_ships_no_module(tmp_path: Path) -> None:
    assert MODULE not in run(tmp_path, task(tmp_path))
    assert (tmp_path / "store" / "web" / "current" / "private_key.pem").is_file()


@pytest.mark.parametrize("off", ["ANSIBLE_PIPELINING", "ANSIBLE_KEEP_REMOTE_FILES"])
def test_without_pipelining_the_module_runs_and_does_the_same(tmp_path: Path, off: str) -> None:
    piped = run(tmp_path, task(tmp_path))
    shipped = run(tmp_path, task(tmp_path), **{off: str(off == "ANSIBLE_KEEP_REMOTE_FILES")})
    assert (MODULE in piped, MODULE in shipped) == (False, True)
    assert playbook.results(tmp_path / "home")[0]["changed"] is False


@pytest.mark.needs("old_cryptography")
def test_a_python_that_ansible_has_to_discover_is_piped_to_once_it_is_known(tmp_path: Path) -> None:
    tasks = task(tmp_path), {**task(tmp_path), "name": "again"}
    shown = run(tmp_path, *tasks, ansible_python_interpreter="auto", **SYSTEM)
    first, again = shown.split("TASK [again]")
    assert ("interpreter discovery" in first, MODULE in first) == (True, True)
    assert ("interpreter discovery" in again, MODULE in again) == (False, False)


def test_environment_and_delegation_hold_for_a_program_as_for_a_module(tmp_path: Path) -> None:
    command = ["sh", "-c", f"echo $KEYSTEAD_MARK > {tmp_path}/mark"]
    marked = task(tmp_path, environment={"KEYSTEAD_MARK": "two words"}, delegate_to="web2")
    marked[IDENTITY]["identities"][0]["activate"] = {"command": command}
    shown = run(tmp_path, marked, ansible_python_interpreter="/nowhere/python")
    assert {host for host, _command in EXECUTED.findall(shown)} == {"web2"}
    assert (tmp_path / "mark").read_text() == "two words\n"


def test_a_python_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    hosts = {"web1": {"ansible_python_interpreter": "/nowhere/python"}}
    done = playbook.run([task(tmp_path)], hosts, home=tmp_path / "home")
    (result,) = playbook.results(tmp_path / "home")
    assert done.returncode == 2
    assert re.fullmatch(
        r"host: /nowhere/python cannot be run: .*not found; set ansible_python_interpreter to one that can",
        result["msg"],
    )


@pytest.mark.parametrize("off", ["ANSIBLE_PIPELINING", "ANSIBLE_KEEP_REMOTE_FILES"])
def test_a_password_goes_down_a_pipe_or_not_at_all(tmp_path: Path, off: str) -> None:
    said = task(tmp_path)
    identity = said[IDENTITY]["identities"][0]
    copy = {"path": str(tmp_path / "web.p12")}
    identity["publish"] = [{"pkcs12": {**copy, "password": "Canary"}}]
    env = {off: str(off == "ANSIBLE_KEEP_REMOTE_FILES")}
    done = playbook.run([said], home=tmp_path / "home", env=env)
    assert done.returncode == 2
    (refused,) = playbook.results(tmp_path / "home")
    assert "a secret of the task would touch the disk of the host" in refused["msg"]
    assert not (tmp_path / "store").exists()
    (tmp_path / "password").write_text("Canary\n", encoding="ascii")
    (tmp_path / "password").chmod(0o600)
    identity["publish"] = [{"pkcs12": {**copy, "password_file": str(tmp_path / "password")}}]
    run(tmp_path, said, **env)
    identity["publish"] = [{"pkcs12": {**copy, "password": "Canary"}}]
    run(tmp_path, said)
    assert playbook.results(tmp_path / "home")[0]["changed"] is False
