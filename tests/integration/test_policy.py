# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A policy in real playbooks: groups of the inventory, connections, authorities, findings of the info module."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook

if t.TYPE_CHECKING:
    from pathlib import Path

AUTHORITY, IDENTITY, INFO = (
    f"keystead.identity.{name}" for name in ("certificate_authority", "machine_identity", "machine_identity_info")
)
POLICY = """
format: 1
rules:
  - id: shop
    holders: {names: ["*.shop.example.org"], groups: [shop]}
  - id: authorities
    only: {kinds: [authority]}
    key_type: {allow: [ecdsa-p384]}
  - id: ways
    connection: {authenticated: true}
  - id: life
    severity: warn
    lifetime: {longest: 20d}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory with two authorities, a policy, and an inventory of two local hosts and one by SSH."""
    local.two_tiers(tmp_path / "ca")
    (tmp_path / "policy.yml").write_text(POLICY, encoding="utf-8")
    here = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    away = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_host_key_checking": False}
    groups = {
        "shop": {"hosts": {"shop1": here}},
        "office": {"hosts": {"web1": here, "web2": {"ansible_connection": "ssh", **away}}},
    }
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
    return tmp_path


def run(
    root: Path, *tasks: dict[str, t.Any], limit: str, check: bool = False, extra: dict[str, t.Any] | None = None
) -> dict[str, list[dict[str, t.Any]]]:
    """Run tasks, errors ignored, and return the results by host."""
    play = {
        "hosts": limit,
        "gather_facts": False,
        "module_defaults": {
            "group/keystead.identity.identity": {
                "policy": str(root / "policy.yml"),
                "ledger": f"sqlite:///{root}/ledger.db",
            },
            IDENTITY: {"store": str(root / "stores/{{ inventory_hostname }}")},
            INFO: {"store": str(root / "stores/{{ inventory_hostname }}")},
        },
        "tasks": [{**task, "ignore_errors": True} for task in tasks],
    }
    home = root / "home"
    (root / "stores").mkdir(exist_ok=True)
    more = [*(["--check"] if check else []), *(["-e", json.dumps(extra)] if extra else [])]
    done = playbook.run([play], root / "inventory.json", *more, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    hosts = playbook.recap(done)
    return {host: playbook.results(home, host) for host in hosts}


def issue(root: Path, *names: str) -> dict[str, t.Any]:
    issuer = {"local": {"directory": str(root / "ca"), "authority": "issuing"}}
    return {IDENTITY: {"issuer": issuer, "identities": [{"name": "web", "dns_names": list(names)}]}}


@pytest.mark.parametrize("check", [False, True])
def test_a_services_names_belong_to_the_hosts_of_its_group(root: Path, *, check: bool) -> None:
    done = run(root, issue(root, "www.shop.example.org"), limit="shop1,web1", check=check)
    assert (done["shop1"][0]["changed"], done["shop1"][0].get("failed", False)) == (True, False)
    assert done["web1"][0]["msg"] == (
        f"policy: {root}/policy.yml refuses this task: (1) rule shop, web: "
        "name www.shop.example.org on host web1; put the host into group shop, or take it away"
    )
    assert not (root / "stores" / "web1").exists()


def test_no_variable_puts_a_host_into_a_group(root: Path) -> None:
    said = {"group_names": ["shop"], "inventory_hostname": "shop1", "groups": {"shop": ["web1"]}, "hostvars": {}}
    names = issue(root, "www.shop.example.org")
    store = {IDENTITY: {**names[IDENTITY], "store": str(root / "stores" / "web1")}}
    fact = {"ansible.builtin.set_fact": {"group_names": ["shop"], "inventory_hostname": "shop1"}}
    looped = {**store, "loop": [["shop"]], "loop_control": {"loop_var": "group_names"}}
    plain = run(root, fact, store, {**store, "vars": said}, looped, limit="web1")["web1"]
    extra = run(root, store, limit="web1", extra=said)["web1"]
    looped_one = plain[-1].get("results", [plain[-1]])[0]
    for result in (plain[1], plain[2], looped_one, *extra):
        assert "rule shop, web: name www.shop.example.org on host web1; put the host" in result["msg"], result
    assert not (root / "stores" / "web1").exists()


def test_an_authority_is_judged_for_the_host_of_the_inventory(root: Path) -> None:
    policy = root / "authorities.yml"
    rule = "{id: ca, only: {kinds: [authority], groups: [office], hosts: [web1]}, key_type: {allow: [ecdsa-p384]}}"
    policy.write_text(f"format: 1\nrules:\n- {rule}\n", encoding="utf-8")
    new = {"name": "third", "directory": str(root / "ca"), "policy": str(policy)}
    other = {"group_names": [], "inventory_hostname": "zz"}
    (refused,) = run(root, {AUTHORITY: new}, limit="web1", extra=other)["web1"]
    assert "rule ca, third: key.type ecdsa-p256; use ecdsa-p384" in refused["msg"]


def test_a_host_whose_key_is_not_checked_is_not_even_called(root: Path) -> None:
    (result,) = run(root, issue(root, "www.example.org"), limit="web2")["web2"]
    assert result["msg"].endswith("(1) rule ways, web: connection ssh: host_key_checking is off; "
                                  "turn it on and record the host's key")  # fmt: skip
    assert not result.get("unreachable")


def test_an_authority_is_judged_by_the_rules_that_name_it(root: Path) -> None:
    new = {"name": "third", "directory": str(root / "ca")}
    tasks = ({AUTHORITY: new}, {AUTHORITY: {**new, "key": {"type": "ecdsa-p384"}}})
    refused, made = run(root, *tasks, limit="web1")["web1"]
    assert "rule authorities, third: key.type ecdsa-p256; use ecdsa-p384" in refused["msg"]
    assert (made["changed"], made.get("failed", False)) == (True, False)


def test_what_is_live_is_shown_with_what_the_policy_finds(root: Path) -> None:
    issued, shown = run(root, issue(root, "www.example.org"), {INFO: {}}, limit="web1")["web1"]
    assert issued["warnings"] == ["policy: rule life, web: lifetime 30d; declare at most 20d"]
    assert shown["identities"][0]["findings"] == [
        {"code": "policy", "msg": "rule life: lifetime 30d; declare at most 20d"}
    ]
