# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""key_rotate in playbooks: what is declared once is rotated by the same variable, in waves, and looked up."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.in_process import from_now_on

if t.TYPE_CHECKING:
    import subprocess
    from pathlib import Path

HOSTS = ("web1", "web2", "web3")
INVENTORY: dict[str, dict[str, str]] = {host: {} for host in HOSTS}


class Site:
    """Three hosts with an identity web each, whose consumer is a command that a test may break."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.common = {
            "issuer": {"local": local.two_tiers(root / "ca")},
            "ledger": f"sqlite:///{root}/ledger.db",
            "store": f"{root}/{{{{ inventory_hostname }}}}",
            "identities": [
                {
                    "name": "web",
                    "dns_names": ["{{ inventory_hostname }}.example.org"],
                    "prove": {"command": ["test", "!", "-e", f"{root}/broken-{{{{ inventory_hostname }}}}"]},
                }
            ],
        }

    def play(
        self, module: str, *args: str, said: t.Mapping[str, t.Any] | None = None, **of_play: t.Any
    ) -> subprocess.CompletedProcess[str]:
        """Run one task of a module on all hosts."""
        task = {f"keystead.identity.{module}": {**self.common, **(said or {})}}
        plays = [{"hosts": "all", "gather_facts": False, "tasks": [task], **of_play}]
        return playbook.run(plays, INVENTORY, *args, home=self.root / "home")

    def changed(self, done: subprocess.CompletedProcess[str]) -> dict[str, int]:
        """Return what a run changed on each host that it came to."""
        return {host: counts["changed"] for host, counts in playbook.recap(done).items()}

    def steps(self, host: str = "web1") -> list[dict[str, t.Any]]:
        """Return the steps of the last run on a host."""
        found: list[dict[str, t.Any]] = playbook.results(self.root / "home", host)[0]["identities"][0]["steps"]
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    done = made.play("machine_identity")
    assert made.changed(done) == dict.fromkeys(HOSTS, 1), done.stdout + done.stderr
    return made


def after_that() -> str:
    """Return a moment after all that was made so far."""
    return f"{from_now_on():%Y-%m-%dT%H:%M:%SZ}"


def test_check_mode_shows_what_a_run_does_and_a_second_run_does_nothing(site: Site) -> None:
    said = {"created_before": after_that()}
    assert site.changed(site.play("key_rotate", "--check", "--diff", said=said)) == dict.fromkeys(HOSTS, 1)
    shown = site.steps()
    assert site.changed(site.play("key_rotate", said=said)) == dict.fromkeys(HOSTS, 1)
    assert site.steps() == shown
    assert [step["action"] for step in shown] == ["stage_key", "issue", "publish", "prove", "destroy"]
    for module, more in (("key_rotate", said), ("key_rotate", {"max_age": "1h"}), ("machine_identity", None)):
        assert site.changed(site.play(module, said=more)) == dict.fromkeys(HOSTS, 0)


def test_a_wave_that_fails_stops_the_waves_after_it_and_its_hosts_keep_their_keys(site: Site) -> None:
    certificates = {host: (site.root / host / "web/current/certificate.pem").read_bytes() for host in HOSTS}
    (site.root / "broken-web1").touch()
    moment = after_that()
    done = site.play("key_rotate", said={"created_before": moment}, serial=1)
    assert done.returncode != 0
    assert set(playbook.recap(done)) == {"web1"}, "the later waves were not begun"
    assert "roll_back" in [step["action"] for step in site.steps()]
    assert {host: (site.root / host / "web/current/certificate.pem").read_bytes() for host in HOSTS} == certificates
    (site.root / "broken-web1").unlink()
    again = site.play("key_rotate", said={"created_before": moment}, serial=1)
    assert site.changed(again) == dict.fromkeys(HOSTS, 1), again.stdout


def test_a_template_asks_whose_key_is_due(site: Site) -> None:
    ask = "lookup('keystead.identity.key_rotate', 'web', {}, ledger='" + site.common["ledger"] + "')"
    moment = after_that()
    tasks = [
        {"ansible.builtin.debug": {"msg": f"{{{{ {ask.format(f'created_before={moment!r}')} }}}}"}},
        {"ansible.builtin.debug": {"msg": f"{{{{ {ask.format('max_age=[1]')} }}}}"}, "ignore_errors": True},
    ]
    done = playbook.run(tasks, INVENTORY, home=site.root / "home")
    assert done.returncode == 0, done.stdout
    due, refused = playbook.results(site.root / "home", "web2")
    assert (due["msg"]["due"], due["msg"]["host"]) == (True, "web2")
    assert "key_rotate: " in refused["msg"]
    assert "max_age" in refused["msg"]
