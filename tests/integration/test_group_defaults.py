# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The action group `identity`: defaults for every module at once, and the end of a run."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml
from ansible_collections.keystead.identity.tests.harness import local, playbook

COLLECTION = Path(__file__).parents[2]
GROUP = "group/keystead.identity.identity"
AUTHORITY, IDENTITY, INFO = (
    f"keystead.identity.{name}" for name in ("certificate_authority", "machine_identity", "machine_identity_info")
)
HOSTS: playbook.Inventory = {"web1": {}, "web2": {}}
TELLING = {
    "ANSIBLE_CALLBACKS_ENABLED": "keystead.identity.summary",
    "ANSIBLE_SHOW_CUSTOM_STATS": "1",
    "ANSIBLE_FORCE_COLOR": "0",
}


def play(root: Path, defaults: dict[str, t.Any], *tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a play with these defaults of the group."""
    store = {"store": str(root / "{{ inventory_hostname }}")}
    return {
        "hosts": "all",
        "gather_facts": False,
        "module_defaults": {GROUP: defaults, IDENTITY: store, INFO: store},
        "tasks": list(tasks),
    }


def issue(root: Path, *names: str, **said: t.Any) -> dict[str, t.Any]:
    """Return a task that gives a host identities."""
    issuer = {"local": {"directory": str(root / "ca"), "authority": "issuing"}}
    identities = [{"name": name, "dns_names": [f"{name}.example.org"], **said} for name in names]
    return {IDENTITY: {"issuer": issuer, "identities": identities}}


def test_the_group_is_every_module_that_has_an_action() -> None:
    runtime = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    actions = {path.stem for path in (COLLECTION / "plugins" / "action").glob("*.py")}
    assert set(runtime["action_groups"]["identity"]) == actions


def test_a_ledger_in_the_group_reaches_every_module(tmp_path: Path) -> None:
    local.two_tiers(tmp_path / "ca")
    defaults = {"ledger": f"sqlite:///{tmp_path}/ledger.db"}
    third = {AUTHORITY: {"name": "third", "directory": str(tmp_path / "ca")}}
    tasks = (third, issue(tmp_path, "web", contact="me@example.org"), {INFO: {}})
    done = playbook.run([play(tmp_path, defaults, *tasks)], home=tmp_path / "home")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "ledger.db").exists()
    assert playbook.results(tmp_path / "home")[-1]["identities"][0]["contact"] == "me@example.org"


def test_a_policy_in_the_group_is_read_by_every_module_before_anything_is_touched(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("format: 1\nrules:\n  - id: keys\n    key_typ: {}\n", encoding="utf-8")
    third = {AUTHORITY: {"name": "third", "directory": str(tmp_path / "ca")}}
    tasks = ({**task, "ignore_errors": True} for task in (third, issue(tmp_path, "web"), {INFO: {}}))
    done = playbook.run([play(tmp_path, {"policy": f"{tmp_path}/rules.yml"}, *tasks)], home=tmp_path / "home")
    assert done.returncode == 0
    said = [result["msg"] for result in playbook.results(tmp_path / "home")]
    wrong = f"policy: {tmp_path}/rules.yml line 4, rule keys: key_typ: it is unknown; did you mean key_type?"
    assert all(message.startswith(wrong) for message in said), said
    assert not (tmp_path / "ca").exists()
    assert not (tmp_path / "web1").exists()


def test_the_end_of_a_run_tells_what_was_done_and_what_would_be(tmp_path: Path) -> None:
    local.two_tiers(tmp_path / "ca")
    names = [f"n{number}" for number in range(120)]
    tasks = (
        {**issue(tmp_path, "web"), "check_mode": True},
        issue(tmp_path, "web", "api"),
        issue(tmp_path, *names),
        {**issue(tmp_path, "{{ item }}"), "loop": ["web", "hidden"], "no_log": True},
        {
            "block": [{**issue(tmp_path, "web", renew_before="31d"), "when": "inventory_hostname == 'web2'"}],
            "rescue": [{"ansible.builtin.debug": {"msg": "saved"}}],
        },
    )
    plays = [play(tmp_path, {"ledger": f"sqlite:///{tmp_path}/ledger.db"}, *tasks)]
    done = playbook.run(plays, HOSTS, home=tmp_path / "home", env=TELLING)
    assert done.returncode == 0, done.stdout
    summary = done.stdout.partition("\nIDENTITIES ***")[2]
    for line in (
        "web1: issued 122, would be issued 1",
        "web2: issued 122, would be issued 1, failed 1",
        "  issued web, api, n0, n1 and 118 more: there is no credential yet",
        "  would be issued web: there is no credential yet",
        "total of 2 hosts: issued 244, would be issued 2, failed 1",
        "not counted: what no_log hides",
    ):
        assert f"\n{line}\n" in summary
    assert "failed the whole task: machine_identity: identities[web].renew_before: '31d'" in summary
    assert "nearest expiry: " in summary
    assert '"keystead_issued": 246' in done.stdout  # counted by the tasks themselves, hidden ones included
    assert '"keystead_would_be_issued": 2' in done.stdout
    for what in ("identities to make the first key of", "credentials to issue", "identities to install on the host"):
        assert f"web1: 120 {what}\n" in done.stdout
    assert "hidden" not in done.stdout.replace("due to no_log", "")
