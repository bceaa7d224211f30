# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run without work loads on the controller: Ansible, ourselves, SQLite, and nothing that only work needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = pytest.mark.one_core

COMPILES = "ansible_collections.keystead.identity.plugins.plugin_utils._policy.compile"
PLANS = "ansible_collections.keystead.identity.plugins.plugin_utils._plan.planned"
HEAVY = (
    "sqlalchemy", "alembic", "jsonschema", "requests", "boto3", "psycopg", "ssl", "cryptography.x509", COMPILES,
    "rfc8785", PLANS,
)  # fmt: skip
HOST = """
import json, sys
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.in_process import host_half
print(json.dumps(host_half(json.load(sys.stdin))))
"""
CONTROLLER = """
import json, subprocess, sys
from ansible_collections.keystead.identity.plugins.action.machine_identity import ActionModule
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

def execute(arguments):
    command = [sys.executable, "-c", told["on_host"]]
    done = subprocess.run(command, input=json.dumps(arguments), check=True, capture_output=True, text=True)
    return json.loads(done.stdout)

told = json.load(sys.stdin)
args = validated(told["options"], ActionModule.accepts, module="machine_identity")
result = ActionModule.work(None, args, Task(told["host"], "site.yml", False, False, execute, print))
print(json.dumps({"result": result, "loaded": [name for name in told["heavy"] if name in sys.modules]}))
"""


def run_elsewhere(world: World, identities: list[dict[str, t.Any]], **more: t.Any) -> dict[str, t.Any]:
    """Run the task in a process of its own, and its host's half in another; return the result and what was loaded."""
    said = {"issuer": world.issuer(), "ledger": world.url, "store": str(world.store), "identities": identities}
    options = {**said, **more}
    told = {"options": options, "host": world.host, "heavy": HEAVY, "on_host": HOST}
    env = {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]}
    command = [sys.executable, "-c", CONTROLLER]
    done = subprocess.run(command, input=json.dumps(told), check=False, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return t.cast("dict[str, t.Any]", json.loads(done.stdout.splitlines()[-1]))


def test_a_run_with_nothing_to_do_loads_nothing_heavy(tmp_path: Path) -> None:
    world = World(tmp_path)
    identities = [web(), {"name": "api", "dns_names": ["api.example.org"]}]
    first = run_elsewhere(world, identities)
    assert first["result"]["changed"] is True
    assert first["loaded"] == ["cryptography.x509"], "else this test would see nothing"
    again = run_elsewhere(world, identities)
    assert again["result"]["changed"] is False
    assert [one["steps"] for one in again["result"]["identities"]] == [[], []]
    assert again["loaded"] == []


@pytest.mark.needs("postgres")
def test_with_a_ledger_in_postgresql_such_a_run_loads_its_client_and_nothing_else_that_is_heavy(
    tmp_path: Path, postgres_server: Server
) -> None:
    world, options = World(tmp_path), postgres_server.options(postgres_server.ledger())
    assert run_elsewhere(world, [web()], **options)["result"]["changed"] is True
    again = run_elsewhere(world, [web()], **options)
    assert again["result"]["changed"] is False
    assert {"psycopg"} <= set(again["loaded"]) <= {"psycopg", "ssl"}  # its asyncio loads ssl


def test_a_policy_that_did_not_change_is_neither_read_as_yaml_nor_validated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    world, policy = World(tmp_path / "world"), tmp_path / "policy.yml"
    policy.write_text("format: 1\nrules:\n  - {id: life, lifetime: {longest: 90d}}\n", encoding="utf-8")
    first = run_elsewhere(world, [web()], policy=str(policy))
    assert first["loaded"] == ["jsonschema", "cryptography.x509", COMPILES]
    again = run_elsewhere(world, [web()], policy=str(policy))
    assert (again["result"]["changed"], again["loaded"]) == (False, [])
    policy.write_text("format: 1\nrules:\n  - {id: life, lifetime: {longest: 91d}}\n", encoding="utf-8")
    changed = run_elsewhere(world, [web()], policy=str(policy))
    assert (changed["result"]["changed"], changed["loaded"]) == (False, ["jsonschema", COMPILES])


def test_neither_does_a_run_over_what_was_adopted(tmp_path: Path) -> None:
    world = World(tmp_path)
    pair().write(tmp_path / "old")
    adopt = {"private_key": str(tmp_path / "old" / "web.key"), "certificate": str(tmp_path / "old" / "fullchain.pem")}
    assert run_elsewhere(world, [web(adopt=adopt)])["result"]["changed"] is True
    again = run_elsewhere(world, [web(adopt=adopt)])
    assert [one["steps"] for one in again["result"]["identities"]] == [[]]
    assert [finding["code"] for finding in again["result"]["identities"][0]["findings"]] == ["differs"]
    assert again["loaded"] == []
