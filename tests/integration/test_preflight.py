# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The playbook preflight, by its name: one table, each remedy, failed when something must be mended."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import MIGRATIONS
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness import openbao as bao

if t.TYPE_CHECKING:
    import subprocess

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server
    from ansible_collections.keystead.identity.tests.harness.postgres import Server as PostgresServer

PLAYBOOK = Path("keystead.identity.preflight")  # as ansible-playbook takes it
MODULE = "keystead.identity.machine_identity"
NOWHERE = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


class Site:
    """An authority and a ledger that hosts share, each with its store."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home"
        self.issuer = {"local": local.two_tiers(root / "ca")}
        self.variables = {
            "keystead_issuer": self.issuer,
            "keystead_ledger": f"sqlite:///{root}/ledger.db",
            "keystead_store": f"{root}/{{{{ inventory_hostname }}}}",
        }

    def run(self, hosts: dict[str, dict[str, t.Any]], *args: str) -> subprocess.CompletedProcess[str]:
        """Run the playbook."""
        inventory = {name: {**self.variables, **said} for name, said in hosts.items()}
        return playbook.run(PLAYBOOK, inventory, *args, home=self.home)

    def files(self) -> set[str]:
        """Return what is there, outside of the home directory."""
        return {str(path) for path in self.root.rglob("*") if self.home not in (path, *path.parents)}


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def table(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of the one table that was shown."""
    (shown,) = re.findall(r'"msg": (\[.*?\n    \])', done.stdout, re.DOTALL)
    return t.cast("list[str]", json.loads(shown))


def test_two_hosts_that_are_fit_are_one_table_and_nothing_is_made(site: Site) -> None:
    before = site.files()
    done = site.run({"web1": {"ansible_pipelining": False}, "web2": {}})
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.files() == before
    lines = table(done)
    assert len([line for line in lines if " ledger " in line]) == 1
    assert len([line for line in lines if " store " in line]) == 2
    assert [line.split()[:3] for line in lines if not line.startswith("ok ")] == [["warning", "web1", "pipelining"]]
    assert [counts["changed"] for counts in playbook.recap(done).values()] == [0, 0]


def test_check_mode_says_the_same(site: Site) -> None:
    assert table(site.run({"web1": {}}, "--check")) == table(site.run({"web1": {}}))


def test_each_host_fails_with_its_own_reason_and_the_others_do_not(site: Site) -> None:
    hosts: dict[str, dict[str, t.Any]] = {
        "fit": {},
        "lost": NOWHERE,
        "bare": {"ansible_python_interpreter": "/nowhere/python"},
        "wrong": {"keystead_store": "relative"},
        "planned": {"keystead_issuer": {"local": {"ca_bundle": "/x.pem"}}},
        "nobody": {"keystead_issuer": {"local": {**site.issuer["local"], "authority": "nobody"}}},
    }
    before = site.files()
    done = site.run(hosts)
    assert (done.returncode, site.files()) == (2, before)
    assert {name for name, counts in playbook.recap(done).items() if counts["failed"]} == hosts.keys() - {"fit"}
    wrong = [line for line in table(done) if line.startswith("FAILED")]
    assert len(wrong) == 5
    for where, said in (
        ("lost", "; mend the connection, or leave the host out"),
        ("bare", "; set ansible_python_interpreter to "),
        ("wrong", "option store: 'relative' is not an absolute path"),
        ("planned", "option issuer.local.ca_bundle is not built yet"),
        ("controller", "authority nobody does not exist"),
    ):
        (line,) = (line for line in wrong if line.split()[1] == where)
        assert said in line
    assert "Traceback" not in done.stdout + done.stderr


def test_no_passphrase_is_shown_at_any_verbosity(site: Site) -> None:
    secret = "correct-horse-battery"
    said = {"keystead_issuer": {"local": {**site.issuer["local"], "passphrase": secret}}}
    done = site.run({"web1": said}, "-vvvv", "--diff")
    assert "has no passphrase, but one is given" in "\n".join(table(done))
    assert secret not in done.stdout + done.stderr


@pytest.mark.needs("openbao", "postgres")
def test_a_server_for_each_is_looked_at_and_no_credential_is_shown(
    site: Site, openbao: Server, postgres_server: PostgresServer
) -> None:
    pki = bao.pki(openbao)
    auth = bao.approle(pki)
    options = postgres_server.options(postgres_server.ledger())
    secrets = (auth["approle"]["secret_id"], options["ledger_password"])
    said = {f"keystead_{name}": one for name, one in {**options, "issuer": {"openbao": pki.options(auth)}}.items()}
    policy = site.root / "policy.yml"
    policy.write_text("format: 1\nrules: []\n", encoding="utf-8")
    done = site.run({"web1": {**said, "keystead_policy": str(policy)}}, "-vvvv", "--diff")
    assert done.returncode == 0, done.stdout
    lines = table(done)
    for found in ("openbao: role", f"answers, and has schema {len(MIGRATIONS)}", f"{policy} holds, with 0 rules"):
        assert [line for line in lines if line.startswith("ok ") and found in line], found
    wrong = {**said, "keystead_ledger_password": "SESAME", "keystead_policy": "/none"}
    failed = site.run({"web1": wrong}, "-vvvv", "--diff")
    assert [line.split()[2] for line in table(failed) if line.startswith("FAILED")] == ["policy", "ledger"]
    shown = done.stdout + done.stderr + failed.stdout + failed.stderr
    assert not [secret for secret in (*secrets, "SESAME") if secret in shown]


def test_what_preflight_found_fit_then_works(site: Site) -> None:
    assert site.run({"web1": {}}).returncode == 0
    task = {
        "issuer": site.issuer,
        "ledger": site.variables["keystead_ledger"],
        "store": site.variables["keystead_store"],
        "identities": [{"name": "web", "dns_names": ["web.example.org"]}],
    }
    assert playbook.run([{MODULE: task}], home=site.home).returncode == 0
    lines = table(site.run({"web1": {}}))
    assert any(f"{site.root}/web1 may be written by user" in line for line in lines)
