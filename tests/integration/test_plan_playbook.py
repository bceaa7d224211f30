# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Plans in playbooks, as a job that plans, somebody who reads, and a job that runs: over many hosts at once."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.in_process import from_now_on

if t.TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

HOSTS = ("web1", "web2", "web3")
INVENTORY: dict[str, dict[str, str]] = {host: {} for host in HOSTS}
FILE = "{{ inventory_hostname }}.json"


class Site:
    """Three hosts with an identity each, and a directory for plans."""

    def __init__(self, root: Path, issuer: dict[str, t.Any]) -> None:
        self.root, self.plans = root, root / "plans"
        self.common = {"issuer": issuer, "ledger": f"sqlite:///{root}/ledger.db"}
        self.of_hosts = {
            **self.common,
            "store": f"{root}/{{{{ inventory_hostname }}}}",
            "identities": [{"name": "web", "dns_names": ["{{ inventory_hostname }}.example.org"]}],
        }

    def play(self, module: str, *args: str, plan: str | None = FILE, **said: t.Any) -> subprocess.CompletedProcess[str]:
        """Run one task of a module on all hosts, with a plan."""
        common = self.common if module == "cert_revoke" else self.of_hosts
        planned = {"plan": f"{self.plans}/{plan}"} if plan else {}
        task = {f"keystead.identity.{module}": {**common, **planned, **said}}
        return playbook.run([task], INVENTORY, *args, home=self.root / "home")

    def changed(self, done: subprocess.CompletedProcess[str]) -> dict[str, int]:
        """Return what a run changed on each host, none of which failed."""
        assert done.returncode == 0, done.stdout + done.stderr
        return {host: counts["changed"] for host, counts in playbook.recap(done).items()}

    def result(self, host: str = "web1") -> dict[str, t.Any]:
        """Return what the last run returned for a host."""
        return playbook.results(self.root / "home", host)[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, {"local": local.two_tiers(tmp_path / "ca")})


def test_many_hosts_are_planned_at_once_read_and_run_as_planned_once(site: Site) -> None:
    _planned_and_run(site)


@pytest.mark.needs("openbao")
def test_over_an_openbao_as_well(tmp_path: Path, openbao: Server) -> None:
    _planned_and_run(Site(tmp_path, {"openbao": make.pki(openbao).options()}))


def _planned_and_run(site: Site) -> None:
    assert site.changed(site.play("machine_identity", "--check")) == dict.fromkeys(HOSTS, 1)
    assert sorted(path.name for path in site.plans.iterdir()) == [f"{host}.json" for host in HOSTS]
    said = json.loads((site.plans / "web2.json").read_bytes())
    assert (said["host"], [step["action"] for step in said["identities"][0]["steps"]]) == (
        "web2", ["stage_key", "issue", "publish"],
    )  # fmt: skip
    assert not (site.root / "web2").exists()
    assert site.changed(site.play("machine_identity")) == dict.fromkeys(HOSTS, 1)
    assert site.result()["plan"]["path"] == f"{site.plans}/web1.json"
    assert site.changed(site.play("machine_identity")) == dict.fromkeys(HOSTS, 0)
    assert "was carried out at 20" in site.result("web3")["msg"]


def test_hosts_that_are_to_write_one_file_are_told_so(site: Site) -> None:
    done = site.play("machine_identity", "--check", plan="all.json")
    failed = [host for host, counts in playbook.recap(done).items() if counts["failed"]]
    assert len(failed) == 2
    assert "give each host and task a file of its own: {{ inventory_hostname }}.machine_identity.json" in str(
        site.result(failed[0])["msg"]
    )


def test_keys_are_rotated_and_the_old_certificates_revoked_as_planned(site: Site) -> None:
    site.changed(site.play("machine_identity", plan=None))
    moment = f"{from_now_on():%Y-%m-%dT%H:%M:%SZ}"
    rotation = {"created_before": moment}
    assert site.changed(site.play("key_rotate", "--check", **rotation)) == dict.fromkeys(HOSTS, 1)
    other = site.play("key_rotate", created_before="2026-01-31T10:40:00Z")
    assert "option plan: " in site.result()["msg"]
    assert "created_before differ" in site.result()["msg"]
    assert other.returncode != 0
    assert "is the plan of module key_rotate" in str(site.play("machine_identity").stdout)
    assert site.changed(site.play("key_rotate", **rotation)) == dict.fromkeys(HOSTS, 1)
    assert site.changed(site.play("key_rotate", **rotation)) == dict.fromkeys(HOSTS, 0)
    old = {
        "certificates": [{"identity": "web", "host": "{{ inventory_hostname }}", "issued_before": moment}],
        "plan": f"{site.plans}/revoke-{FILE}",
        "expect": 1,
    }
    assert site.changed(site.play("cert_revoke", "--check", **old)) == dict.fromkeys(HOSTS, 1)
    assert site.changed(site.play("cert_revoke", **old)) == dict.fromkeys(HOSTS, 1)
    assert site.changed(site.play("cert_revoke", **old)) == dict.fromkeys(HOSTS, 0)


def test_keys_that_are_too_old_are_planned_by_their_age_which_goes_on(site: Site) -> None:
    site.changed(site.play("machine_identity", plan=None))
    from_now_on()
    from_now_on()
    assert site.changed(site.play("key_rotate", "--check", max_age="1s")) == dict.fromkeys(HOSTS, 1)
    from_now_on()
    assert site.changed(site.play("key_rotate", max_age="1s")) == dict.fromkeys(HOSTS, 1)


def test_without_pipelining_a_refused_run_has_only_looked(site: Site) -> None:
    site.changed(site.play("machine_identity", plan=None))
    site.of_hosts["identities"][0]["lifetime"] = "20d"
    site.changed(site.play("machine_identity", "--check"))
    damaged = site.root / "web1" / "web"
    (damaged / "1" / "chain.pem").unlink()
    before = sorted(damaged.rglob("*"))
    task = {"keystead.identity.machine_identity": {**site.of_hosts, "plan": f"{site.plans}/{FILE}"}}
    done = playbook.run([task], INVENTORY, home=site.root / "home", env={"ANSIBLE_PIPELINING": "False"})
    assert {host: counts["changed"] for host, counts in playbook.recap(done).items()} == {
        "web1": 0, "web2": 1, "web3": 1,
    }  # fmt: skip
    assert "is stale: web: damage has chain.pem is missing" in site.result("web1")["msg"]
    assert sorted(damaged.rglob("*")) == before
