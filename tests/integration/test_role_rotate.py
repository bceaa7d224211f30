# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `rotate` and its playbook: keys that are too old are replaced in waves, and one that fails is the last."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.integration.test_key_rotate import after_that

pytestmark = pytest.mark.one_core

HOSTS = ("web1", "web2", "web3", "web4")


class Lab:
    """Four hosts with a key each, and one that shall have none any more."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home"
        self.common = {
            "keystead_ledger": f"sqlite:///{root}/ledger.db",
            "keystead_issuer": {"local": local.two_tiers(root / "ca")},
            "keystead_store": f"{root}/{{{{ inventory_hostname }}}}",
            "keystead_identities": [
                {
                    "name": "web",
                    "dns_names": ["{{ inventory_hostname }}.example.org"],
                    "prove": {"command": ["test", "!", "-e", f"{root}/broken-{{{{ inventory_hostname }}}}"]},
                },
                {"name": "old", "state": "absent"},
            ],
        }
        role = {"role": "keystead.identity.identity", "vars": {"identity_preflight": False}}
        self.play([{"hosts": "all", "gather_facts": False, "roles": [role]}])

    def play(self, book: t.Any, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run a playbook; return what was printed, on one line."""
        hosts: dict[str, dict[str, t.Any]] = {name: {} for name in HOSTS}
        done = playbook.run(book, hosts, "-e", json.dumps({**self.common, **said}), *args, home=self.home)
        assert done.returncode == code, done.stdout + done.stderr
        self.changed = {host: counts["changed"] for host, counts in playbook.recap(done).items()}
        return " ".join((done.stdout + done.stderr).split())

    def rotate(self, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run the playbook of the role."""
        return self.play(Path("keystead.identity.rotate"), *args, code=code, **said)

    def rotated(self) -> list[str]:
        """Return the hosts that have another generation than the first."""
        return [name for name in HOSTS if (self.root / name / "web/current").resolve().name != "1"]


def test_keys_are_replaced_in_waves_and_a_wave_that_fails_is_the_last(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    moment = after_that()
    waves = {"rotate_created_before": moment, "keystead_rotate_serial": [1, 1, "100%"]}
    broken = tmp_path / "broken-web2"
    broken.touch()
    assert "rolled back to generation 1" in lab.rotate(code=2, **waves)
    assert lab.rotated() == ["web1"]
    assert {*lab.changed} == {"web1", "web2"}, "a later wave was not touched"
    broken.unlink()

    said = lab.rotate("--check", **waves)
    assert lab.changed == {"web1": 0, "web2": 1, "web3": 1, "web4": 1}
    assert said.count("PLAY [No key is too old]") == 3
    lab.rotate(**waves)
    assert lab.changed == {"web1": 0, "web2": 1, "web3": 1, "web4": 1}
    assert lab.rotated() == [*HOSTS]
    lab.rotate(rotate_max_age="90d", **waves)
    assert {*lab.changed.values()} == {0}
