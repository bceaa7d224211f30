# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The main job as a module call, by the host fixtures of pytest-ansible: on this machine, and on hosts behind SSH.

Two of its fixtures are not for us: `ansible_host` and `ansible_group` end the whole session on ansible-core 2.19 and
later. `--ansible-unit-inject-only` in pyproject.toml keeps it from writing anything into the root.
"""

from __future__ import annotations

import json
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, ssh_hosts

if t.TYPE_CHECKING:
    from pathlib import Path

MODULE = "keystead.identity.machine_identity"

pytestmark = [
    pytest.mark.filterwarnings("ignore:Host management is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:AnsibleCollectionFinder has already been configured"),
]


def options(directory: Path, **more: t.Any) -> dict[str, t.Any]:
    return {
        "issuer": {"local": local.two_tiers(directory / "authorities")},
        "ledger": f"sqlite:///{directory}/ledger.db",
        "identities": [{"name": "web", "dns_names": ["web.example.org"]}],
        **more,
    }


def call(hosts: t.Any, module: str, **said: t.Any) -> dict[str, t.Any]:
    """Return what a module returned on each host."""
    contacted: dict[str, t.Any] = getattr(hosts, module)(**said).contacted
    assert not [answer["msg"] for answer in contacted.values() if answer.get("failed")]
    return contacted


def test_the_module_leaves_a_key_for_its_owner_alone_on_this_machine(
    localhost: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_PYTHON_INTERPRETER", sys.executable)
    said = options(tmp_path, store=str(tmp_path / "store"))
    first = call(localhost, MODULE, **said)["localhost"]
    assert (first["changed"], call(localhost, MODULE, **said)["localhost"]["changed"]) == (True, False)

    key = call(localhost, "stat", path=first["identities"][0]["paths"]["private_key"])["localhost"]["stat"]
    assert (key["mode"], key["isreg"], key["uid"] == (tmp_path / "store").stat().st_uid) == ("0600", True, True)


@pytest.mark.needs("root", "netns", "ip", "ssh", "sshd", "sudo")
def test_the_module_leaves_a_key_of_its_own_on_each_host_behind_ssh(
    ansible_adhoc: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_hosts.fleet() as fleet, fleet.connections() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        inventory = tmp_path / "inventory.json"
        common = {"ansible_python_interpreter": sys.executable}
        inventory.write_text(json.dumps({"all": {"hosts": fleet.inventory, "vars": common}}), encoding="utf-8")
        hosts = ansible_adhoc(inventory=str(inventory), host_pattern="all").all

        said = options(tmp_path)
        first = call(hosts, MODULE, **said)
        assert {name: answer["changed"] for name, answer in first.items()} == dict.fromkeys(ssh_hosts.NAMES, True)
        again = call(hosts, MODULE, **said)
        assert {name: answer["changed"] for name, answer in again.items()} == dict.fromkeys(ssh_hosts.NAMES, False)
        (path,) = {answer["identities"][0]["paths"]["private_key"] for answer in first.values()}
        keys = [answer["stat"] for answer in call(hosts, "stat", path=path).values()]
        assert {(key["mode"], key["pw_name"]) for key in keys} == {("0600", "root")}
        assert len({key["checksum"] for key in keys}) == len(ssh_hosts.NAMES)
