# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Real playbooks with a ledger in a real PostgreSQL: two controllers, a server that goes away, and no password out."""

from __future__ import annotations

import json
import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.postgres import CONVERGER, PASSWORDS, postgres

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = pytest.mark.needs("postgres")

CANARY = PASSWORDS[CONVERGER]
MODULE = "keystead.identity.machine_identity"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def task(world: World, options: t.Mapping[str, t.Any], *names: str) -> dict[str, t.Any]:
    identities = [{"name": name, "dns_names": [f"{name}.example.org"]} for name in names or ("web",)]
    said = {**options, "issuer": world.issuer(), "store": str(world.store), "identities": identities}
    return {MODULE: {**said, "wait": "60s"}}


def converge(home: Path, tasks: list[dict[str, t.Any]], *arguments: str) -> list[dict[str, t.Any]]:
    """Run tasks; return what they returned, once it is sure that the password is in nothing that was said."""
    done = playbook.run(tasks, playbook.ONE_HOST, *arguments, home=home)
    assert CANARY not in done.stdout + done.stderr
    return playbook.results(home)


def test_what_is_issued_is_in_the_shared_ledger_and_a_second_run_changes_nothing(
    postgres_server: Server, world: World, tmp_path: Path
) -> None:
    options = postgres_server.options(postgres_server.ledger())
    one = task(world, options, "web", "api")
    home, info = tmp_path / "home", {f"{MODULE}_info": {**options, "store": str(world.store)}}
    foreseen, first, again, seen = converge(home, [{**one, "check_mode": True}, one, one, info])
    assert (foreseen["changed"], first["changed"], again["changed"]) == (True, True, False)
    assert [record["state"] for record in seen["identities"]] == ["present", "present"]
    assert [record["findings"] for record in seen["identities"]] == [[], []]
    ledger = open_for(options)
    assert verify(ledger) is None
    assert seen["store"]["ledger_id"] == ledger.id
    assert [event["action"] for event in queries.events(ledger, identity="web")][:2] == ["intend", "issue"]
    ledger.close()
    removed = task(world, options)
    removed[MODULE]["identities"][0]["state"] = "absent"
    removed[MODULE]["identities"][0]["revoke_on_absent"] = True
    gone, still = converge(home, [removed, removed])
    assert (gone["changed"], still["changed"]) == (True, False)


def test_of_two_controllers_exactly_one_issues(postgres_server: Server, world: World, tmp_path: Path) -> None:
    options = postgres_server.options(postgres_server.ledger())
    homes = [tmp_path / "first", tmp_path / "second"]
    for number in range(3):
        running = []
        for home in homes:
            home.mkdir(exist_ok=True)
            (home / playbook.RESULTS).unlink(missing_ok=True)
            (home / "playbook.yml").write_text(_play(task(world, options, f"web{number}")))
            (home / "inventory.json").write_text(_inventory())
            command = [playbook.program("ansible-playbook"), "-i", "inventory.json", "playbook.yml"]
            said = subprocess.PIPE
            running.append(
                subprocess.Popen(command, cwd=home, env=playbook.environment(home), stdout=said, stderr=said, text=True)
            )
        for one in running:
            out, err = one.communicate(timeout=180)
            assert one.returncode == 0, out + err
        assert sorted(playbook.results(home)[0]["changed"] for home in homes) == [False, True]
        assert len(world.issued()) == number + 1
    ledger = open_for(options)
    assert verify(ledger) is None
    issues = [event for event in queries.events(ledger) if (event["action"], event["outcome"]) == ("issue", "ok")]
    assert len(issues) == 3
    ledger.close()


def _play(one: dict[str, t.Any]) -> str:
    return json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [one]}])


def _inventory() -> str:
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return json.dumps({"all": {"hosts": {"web1": {}}, "vars": local}})


@pytest.mark.parametrize("state", ["present", "absent"])
def test_without_its_ledger_neither_host_nor_issuer_is_touched(world: World, tmp_path: Path, state: str) -> None:
    home = tmp_path / "home"
    with postgres() as server:
        options = server.options(server.ledger())
        (first,) = converge(home, [task(world, options)])
        assert first["changed"]
        server.stop()
        before = world.snapshot()
        due = task(world, options, "web", "api")
        if state == "absent":
            due[MODULE]["identities"][0].update(state="absent", revoke_on_absent=True)
        authority = {"keystead.identity.certificate_authority": {
            **options, "name": "another", "directory": str(world.authorities)
        }}  # fmt: skip
        tasks = [{**one, "ignore_errors": True} for one in (due, {**due, "check_mode": True}, authority)]
        results = converge(home, tasks, "-vvv", "--diff")
        assert len(results) == 3
        for result in results:
            assert result["msg"].startswith("ledger: PostgreSQL database ")
            assert "cannot be reached; nothing was touched, run again when it answers" in result["msg"]
            assert "Traceback" not in str(result)
        assert world.snapshot() == before
        server.start()
        (again,) = converge(home, [task(world, options)])
        assert again["changed"] is False


def test_the_password_comes_out_nowhere_however_much_is_printed(
    postgres_server: Server, world: World, tmp_path: Path
) -> None:
    options = postgres_server.options(postgres_server.ledger())
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"secret": CANARY}))
    (tmp_path / "password").write_text(CANARY)
    url = options["ledger"]
    hidden = {"ledger": url, "ledger_password": "{{ secret }}"}
    several = [
        hidden,
        {"ledger": url, "ledger_password_file": str(tmp_path / "password")},
        {**hidden, "ledger_password_file": str(tmp_path / "password")},
        {"ledger": url, "ledger_password": ["{{ secret }}"]},
        {**hidden, "ledger_passwrd": "{{ secret }}"},
        {**hidden, "ledger": url.replace("converger@", "auditor@")},
        {**hidden, "ledger": url.replace("ledger", "nowhere")},
        {**hidden, "ledger": url.replace("converger@", "converger:{{ secret }}@")},
        {**hidden, "ledger": url + "&password={{ secret }}"},
        {**hidden, "ledger": url.replace("verify-full", "{{ secret }}")},
        {**hidden, "ledger": url.replace("localhost", "127.0.0.1:1{{ secret }}")},
    ]
    home = tmp_path / "home"
    tasks = [{**task(world, one), "ignore_errors": True, "register": "answer"} for one in several]
    tasks += [{"ansible.builtin.debug": {"var": "answer"}}]
    done = playbook.run(
        tasks, playbook.ONE_HOST, "-vvvv", "--diff", "-e", f"@{secret}", home=home,
        env={"ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"), "ANSIBLE_KEEP_REMOTE_FILES": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = playbook.results(home)
    assert [result.get("changed") for result in results[:2]] == [True, False]
    assert all(result.get("msg") for result in results[2:-1])
    assert CANARY not in done.stdout + done.stderr
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in ("secret.json", "password")]
    assert "ansible.log" in {path.name for path in left}
    assert not [path for path in left if CANARY.encode() in path.read_bytes()]
    assert not [path for path in left if b"localhost:" in path.read_bytes() and "AnsiballZ" in path.name]
    ledger = open_for(options)
    assert CANARY not in str([queries.events(ledger), queries.identities(ledger)])
    ledger.close()
