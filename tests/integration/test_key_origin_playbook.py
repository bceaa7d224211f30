# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys of the controller through ansible-playbook: rule S1 at -vvvv with --diff, and the ways that are refused."""

from __future__ import annotations

import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.publishers import BACKENDS

if t.TYPE_CHECKING:
    import subprocess
    from pathlib import Path

Task = dict[str, t.Any]
IDENTITY, AUTHORITY = "keystead.identity.machine_identity", "keystead.identity.certificate_authority"
POLICY = """
format: 1
rules:
  - {id: origin, custody: {origin: [host, controller]}}
  - {id: copies, delivery: {publish_private_key: [openbao_kv, aws_acm]}}
"""
PROCESSES = "for one in /proc/[0-9]*; do cat $one/cmdline $one/environ; done 2>/dev/null >>{where}; true"
LOUD = ("-vvvv", "--diff")


class Site:
    """A controller and a host on this machine, with an authority and a policy that permits it all."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home"
        self.common = {"ledger": f"sqlite:///{root}/ledger.db", "policy": f"{root}/policy.yml"}
        (root / "policy.yml").write_text(POLICY, encoding="utf-8")

    def authority(self) -> Task:
        """Return the task that makes the authority."""
        return {AUTHORITY: {**self.common, "directory": f"{self.root}/ca", "name": "root"}}

    def web(self, publish: list[Task] | None = None, **said: t.Any) -> Task:
        """Return the task, whose consumer writes down what every process of this machine shows of itself."""
        command = ["sh", "-c", PROCESSES.format(where=self.root / "processes")]
        identity = {"name": "web", "dns_names": ["www.example.org"], "key": {"origin": "controller"}}
        consumer = {"activate": {"command": command}, "keep_generations": 9}
        issuer = {"local": {"directory": f"{self.root}/ca", "authority": "root"}}
        identities = [{**identity, **consumer, "publish": publish or [], **said}]
        return {IDENTITY: {**self.common, "store": f"{self.root}/store", "issuer": issuer, "identities": identities}}

    def run(self, *tasks: Task, **env: str) -> subprocess.CompletedProcess[str]:
        """Run tasks, as loud as it gets."""
        said = {"ANSIBLE_LOG_PATH": str(self.root / "ansible.log"), "ANSIBLE_DIFF_ALWAYS": "1", **env}
        return playbook.run(list(tasks), playbook.ONE_HOST, *LOUD, home=self.home, env=said)

    def results(self) -> list[Task]:
        """Return what the tasks returned."""
        return playbook.results(self.home)

    def lines(self) -> list[str]:
        """Return lines of every key that the host has."""
        found = [path.read_text().splitlines() for path in (self.root / "store/web").glob("[0-9]*/private_key.pem")]
        return [line for lines in found for line in lines[1:3]]

    def told(self) -> list[Path]:
        """Return the files that hold a line of a key, but those that the host keeps its keys in."""
        kept = ("private_key.pem", "combined.pem")
        paths = (path for path in self.root.rglob("*") if path.is_file() and path.name not in kept)
        return [path for path in paths if any(line.encode() in path.read_bytes() for line in self.lines())]


@pytest.mark.needs("openbao")
def test_a_key_of_the_controller_comes_out_nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    site = Site(tmp_path)
    place = BACKENDS["openbao_kv_with_key"](tmp_path, request.getfixturevalue("openbao"))
    options = place.options()
    entry = {"openbao_kv": options, "parts": ["private_key", "certificate", "chain"]}
    denied = {**entry, "openbao_kv": {**options, "auth": {"token": {"token": "wrong"}}}}
    away = {**entry, "openbao_kv": {**options, "url": "https://127.0.0.1:9"}}
    tasks = [
        site.authority(),
        {**site.web([entry]), "check_mode": True},
        {**site.web([entry]), "register": "answer"},
        {"ansible.builtin.debug": {"var": "answer"}},
        site.web([entry]),
        {**site.web([away], lifetime="20d"), "ignore_errors": True},
        {**site.web([denied], lifetime="15d"), "ignore_errors": True},
        {**site.web([entry], lifetime="10d", prove={"command": ["false"]}), "ignore_errors": True},
        {**site.web([{**entry, "parts": ["private_key", "chain", "chain"]}]), "ignore_errors": True},
        site.web([entry], lifetime="5d"),
        {"keystead.identity.machine_identity_info": {**site.common, "store": f"{tmp_path}/store"}},
    ]
    done = site.run(*tasks)
    assert done.returncode == 0, done.stdout + done.stderr
    changed = [answer.get("changed") for answer in site.results()]
    assert (changed[2], changed[4], changed[9]) == (True, False, True)
    assert len(site.lines()) >= 6, "else this test would see little"
    assert not [line for line in site.lines() if line in done.stdout + done.stderr]
    assert (tmp_path / "processes").stat().st_size > 1000
    assert site.told() == []
    values = place.values() or {}
    assert values["private_key"] == (tmp_path / "store/web/current/private_key.pem").read_text()
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        assert not [line for line in site.lines() if line in "".join(ledger.iterdump())]


@pytest.mark.needs("moto")
def test_what_goes_to_acm_comes_out_nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    site, moto = Site(tmp_path), request.getfixturevalue("moto")
    tasks = [site.authority(), site.web([{"aws_acm": {}}]), site.web([{"aws_acm": {}}], lifetime="10d")]
    gone = {"name": "web", "state": "absent", "publish": [{"aws_acm": {}}]}
    done = site.run(*tasks, **moto.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [answer["changed"] for answer in site.results()] == [True] * 3
    assert not [line for line in site.lines() if line in done.stdout + done.stderr]
    assert site.told() == []
    absent = {IDENTITY: {**site.web()[IDENTITY], "identities": [gone]}}
    assert site.run(absent, **moto.environment).returncode == 0


@pytest.mark.parametrize("how", ["without pipelining", "with a Python to be discovered"])
@pytest.mark.parametrize("check", [True, False], ids=["in check mode", "in a run"])
def test_where_the_key_would_touch_a_disk_it_is_refused_before_anything_is_asked(
    tmp_path: Path, how: str, *, check: bool
) -> None:
    site = Site(tmp_path)
    variables = {"ansible_python_interpreter": "auto"} if "discovered" in how else {}
    env = {"ANSIBLE_PIPELINING": "0"} if "without" in how else {}
    site.run(site.authority())
    task = {**site.web(), "check_mode": check, "vars": variables, "ignore_errors": True}
    done = site.run(task, **env)
    (answer,) = site.results()
    says = "a key that the controller makes would touch the disk of the host; let the host make it (key.origin: host)"
    assert says in answer["msg"], done.stdout
    assert answer["msg"].endswith("or set ansible_pipelining: true and ansible_python_interpreter")
    assert not (tmp_path / "store").exists()
    assert not list((tmp_path / "ca").rglob("issued/*"))
    absent = site.web()[IDENTITY]
    absent["identities"] = [{"name": "web", "state": "absent", "key": {"origin": "controller"}}]
    assert site.run({IDENTITY: absent}, **env).returncode == 0, "what goes away may go away"


def test_the_shipped_policy_refuses_it_and_says_how_it_is_permitted(tmp_path: Path) -> None:
    site = Site(tmp_path)
    task = site.web()
    del task[IDENTITY]["policy"]
    site.run(site.authority(), {**task, "ignore_errors": True})
    message = site.results()[-1]["msg"]
    assert "rule key-origin, web: key.origin controller; use host, or let a policy permit it by custody: {" in message
    assert not (tmp_path / "store").exists()
