# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The inventory of the ledger, as ansible-inventory and ansible-playbook see it."""

from __future__ import annotations

import importlib
import json
import subprocess
import typing as t

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    batch,
    intent,
    outcome,
)

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

PLUGIN = "ansible_collections.keystead.identity.plugins.inventory.ledger"
OURS: dict[str, t.Any] = {"plugin": "keystead.identity.ledger"}
EXAMPLES = [yaml.safe_load(one) for one in importlib.import_module(PLUGIN).EXAMPLES.split("---\n")]
HOSTILE = "<script>alert(1)</script>{{ 1 + 1 }}\u202e"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def listed(
    home: Path, said: t.Any, env: t.Mapping[str, str], *arguments: str, name: str = "web.keystead.yml"
) -> subprocess.CompletedProcess[str]:
    """Run ansible-inventory over one file of configuration."""
    home.mkdir(exist_ok=True)
    (home / name).write_text(json.dumps(said) if not isinstance(said, str) else said)
    command = [playbook.program("ansible-inventory"), "-i", str(home / name), "--list", *arguments]
    found = playbook.environment(home, {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True", **env})
    return subprocess.run(command, env=found, cwd=home, capture_output=True, text=True, check=False, timeout=120)


def inventory(home: Path, said: t.Any, env: t.Mapping[str, str], *arguments: str) -> dict[str, t.Any]:
    """Return what it lists."""
    done = listed(home, said, env, *arguments)
    assert done.returncode == 0, done.stderr
    return t.cast("dict[str, t.Any]", json.loads(done.stdout, object_hook=_text))


def _text(found: dict[str, t.Any]) -> t.Any:
    """Return a text that is no template as the text that it is."""
    return found["__ansible_unsafe"] if list(found) == ["__ansible_unsafe"] else found


def hosts(found: dict[str, t.Any], group: str) -> list[str]:
    return t.cast("list[str]", found.get(group, {}).get("hosts", []))


def where(world: World) -> dict[str, str]:
    return {"KEYSTEAD_LEDGER": world.url}


def test_a_host_is_in_the_groups_of_its_identity_and_knows_it(world: World, tmp_path: Path) -> None:
    done = world.one(web(service="shop", contact="me@example.org", lifetime="5d"))
    before = world.snapshot()
    found = inventory(tmp_path / "home", OURS, where(world))
    mine = {"expires_within_7d", "expires_within_30d", "expires_within_90d", "algorithm_ecdsa_p256", "custody_file",
            "issuer_local_issuing", "service_shop"}  # fmt: skip
    assert {group for group in found if HOST in hosts(found, group)} == mine
    known = found["_meta"]["hostvars"][HOST]
    assert known["keystead_identities"][0]["certificate"].items() >= done["certificate"].items()
    assert known["keystead_expires_at"] == done["certificate"]["not_after"]
    assert (known["keystead_services"], known["keystead_contacts"]) == (["shop"], ["me@example.org"])
    assert world.snapshot() == before


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_true(world: World, tmp_path: Path, example: dict[str, t.Any]) -> None:
    links = {str(world.links / "web.pem"): "fullchain"}
    world.one(web(service="shop", contact="me@example.org", lifetime="1d", links=links))
    found = inventory(tmp_path / "home", example, where(world))
    assert HOST in hosts(found, "service_shop")
    if "compose" in example:
        assert HOST in hosts(found, "expires_within_48h")
        assert HOST in hosts(found, "contact_me_example_org")
        assert hosts(found, "several") == []
        assert found["_meta"]["hostvars"][HOST]["paths_of_certificates"] == list(links)


def test_a_part_of_the_ledger_is_an_inventory_of_that_part(world: World, tmp_path: Path) -> None:
    world.one(web(service="shop"))
    home = tmp_path / "home"
    assert HOST in inventory(home, {**OURS, "select": {"service": ["mail", "shop"]}}, where(world))["_meta"]["hostvars"]
    assert inventory(home, {**OURS, "select": {"service": "mail"}}, where(world))["_meta"]["hostvars"] == {}
    assert inventory(home, {**OURS, "select": {"expired": True}}, where(world))["_meta"]["hostvars"] == {}


def test_hostile_names_are_safe_groups_and_no_templates(world: World, tmp_path: Path) -> None:
    ledger = open_ledger(world.url)
    for host in ("web1", "{{ lookup('pipe', 'id') }}", "a b"):
        key = f"key of {host}"
        wanted = intent(key=key)._replace(service=HOSTILE, contact=HOSTILE, shared=True)
        ledger.intend(batch(host), [wanted])
        ledger.record(batch(host), [outcome(key=key)])
    ledger.close()
    home = tmp_path / "home"
    keyed = [{"key": "keystead_contacts", "prefix": "contact"}]
    done = listed(home, {**OURS, "keyed_groups": keyed}, where(world))
    found = json.loads(done.stdout)
    assert list(found["_meta"]["hostvars"]) == ["web1"]
    assert done.stderr.count("a host is left out") == 2
    names = [name for name in found if name.startswith(("service_", "contact_"))]
    assert len(names) == 2
    assert all(name.isascii() and name.isidentifier() for name in names)
    task = {"ansible.builtin.debug": {"msg": "{{ keystead_services[0] }}"}}
    ran = playbook.run([task], home / "web.keystead.yml", home=home, env=where(world))
    assert ran.returncode == 0, ran.stdout
    assert [one["msg"] for one in playbook.results(home)] == [HOSTILE]


def test_a_cache_keeps_the_ledger_and_not_the_groups_of_the_time(world: World, tmp_path: Path) -> None:
    world.one(web(service="shop"))
    home = tmp_path / "home"
    said = {**OURS, "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(home / "cache")}
    first = inventory(home, said, where(world))
    assert hosts(first, "expires_within_90d") == [HOST]
    assert list((home / "cache").iterdir())
    world.ledger.rename(world.directory / "gone")
    assert inventory(home, said, where(world)) == first
    windows = inventory(home, {**said, "expiry_groups": ["1h"]}, where(world))
    assert (hosts(windows, "expires_within_1h"), hosts(windows, "expires_within_90d")) == ([], [])
    other = listed(home, {**said, "select": {"service": "mail"}}, where(world))
    assert "there is no ledger at" in " ".join(other.stderr.split()), "what was kept answers another question"
    task = {"ansible.builtin.debug": {"msg": "it"}}
    path = home / "web.keystead.yml"
    path.write_text(json.dumps(said))
    flushed = playbook.run([task], path, "--flush-cache", home=home, env=where(world))
    assert "there is no ledger at" in " ".join(flushed.stderr.split())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({**OURS, "select": {"servise": "shop"}}, "option select.servise is unknown; did you mean service?"),
        ({**OURS, "select": {"expires_within": "soon"}}, "option expires_within: 'soon' is not a duration"),
        ({**OURS, "expiry_groups": ["soon"]}, "option expiry_groups: 'soon' is not a duration"),
        ({**OURS, "ledger": "sqlite:////nowhere/l.db"}, "there is no ledger at sqlite:////nowhere/l.db"),
    ],
)
def test_what_is_wrong_is_one_sentence(world: World, tmp_path: Path, said: t.Any, expected: str) -> None:
    world.one(web())
    done = listed(tmp_path / "home", said, where(world), "-vvv")
    assert done.returncode
    assert expected in " ".join(done.stderr.split())
    assert "unexpected" not in done.stderr


@pytest.mark.parametrize(
    ("name", "ours"), [("keystead.yml", True), ("a.keystead.yaml", True), ("mykeystead.yml", False)]
)
def test_a_file_is_ours_by_its_name(world: World, tmp_path: Path, name: str, *, ours: bool) -> None:
    world.one(web())
    enabled = {**where(world), "ANSIBLE_INVENTORY_ENABLED": "keystead.identity.ledger"}
    done = listed(tmp_path / "home", OURS, enabled, name=name)
    assert (done.returncode == 0) == ours


@pytest.mark.needs("postgres")
def test_an_auditor_of_a_ledger_in_postgresql_has_an_inventory(
    postgres_server: Server, world: World, tmp_path: Path
) -> None:
    name = postgres_server.ledger()
    world.one(web(service="shop"), **postgres_server.options(name))
    options = postgres_server.options(name, AUDITOR)
    env = {"KEYSTEAD_LEDGER": options["ledger"], "KEYSTEAD_LEDGER_PASSWORD": options["ledger_password"]}
    assert hosts(inventory(tmp_path / "home", OURS, env), "service_shop") == [HOST]
    wrong = listed(tmp_path / "home", OURS, {**env, "KEYSTEAD_LEDGER_PASSWORD": "c4nary"}, "-vvvv")
    assert "ledger:" in wrong.stderr
    assert "c4nary" not in wrong.stdout + wrong.stderr
