# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Adopting through ansible-playbook: the twelve steps, several hosts with one key, and no secret anywhere."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import pair

if t.TYPE_CHECKING:
    from pathlib import Path

MODULE = "keystead.identity.machine_identity"
Result = dict[str, t.Any]


class Host:
    """A host with a pair that a service reads at two paths."""

    def __init__(self, root: Path) -> None:
        self.root, self.old, self.told = root, root / "old", root / "told"
        self.pair = pair("web.example.org").write(self.old)
        self.key, self.chain = self.old / "web.key", self.old / "fullchain.pem"
        self.issuer = {"local": local.two_tiers(root / "ca")}
        self.common = {"store": str(root / "store"), "ledger": f"sqlite:///{root}/ledger.db"}

    def web(self, **said: t.Any) -> Result:
        """Return the declaration."""
        return {
            "name": "web",
            "dns_names": ["web.example.org"],
            "adopt": {"private_key": str(self.key), "certificate": str(self.chain)},
            "links": {str(self.key): "private_key", str(self.chain): "fullchain"},
            "activate": {"command": ["touch", str(self.told)]},
            **said,
        }

    def task(self, identity: Result, *, check: bool = False) -> Result:
        """Return a task with this identity."""
        said = {**self.common, "issuer": self.issuer, "identities": [identity]}
        return {MODULE: said, "check_mode": check, "diff": True}

    def twice(self, identity: Result) -> list[Result]:
        """Return the results of: check, check, run, run."""
        tasks = [self.task(identity, check=check) for check in (True, True, False, False)]
        done = playbook.run(tasks, playbook.ONE_HOST, "-vvvv", home=self.root / "home")
        assert done.returncode == 0, done.stdout + done.stderr
        secrets = self.pair.key.decode().splitlines()[1:3]  # the rest is the public key
        assert not [line for line in secrets if line in done.stdout + done.stderr]
        return playbook.results(self.root / "home")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def actions(result: Result) -> list[str]:
    """Return what the steps of the only identity are."""
    return [step["action"] for step in result["identities"][0]["steps"]]


def told_the_same(results: list[Result]) -> list[str]:
    """Check that both looks foresaw the run, and that a second run had nothing to do; return the run's steps."""
    first, second, run, again = results
    assert first["identities"][0]["steps"] == second["identities"][0]["steps"] == run["identities"][0]["steps"]
    assert first["diff"] == second["diff"] == run["diff"]
    assert (first["changed"], run["changed"], again["changed"], actions(again)) == (True, True, False, [])
    return actions(run)


def test_the_twelve_steps_of_an_adopted_pair(host: Host) -> None:
    served = {path: path.read_bytes() for path in (host.key, host.chain)}
    adopted = host.twice(host.web())
    assert told_the_same(adopted) == ["adopt", "link", "link"]
    assert {path: path.read_bytes() for path in served} == served
    assert not host.told.exists()
    assert "issuer: adopted:CN=Old Corp CA" in adopted[2]["diff"][0]["after"]
    assert "issuer: CN=Old Corp CA" in adopted[2]["diff"][0]["before"]

    modified = host.twice(host.web(dns_names=["web.example.org", "shop.example.org"]))
    assert told_the_same(modified) == ["stage_key", "issue", "publish", "activate", "destroy"]
    assert modified[2]["identities"][0]["steps"][0]["reason"] == "it lacks shop.example.org"
    assert host.key.read_bytes() != served[host.key]
    assert host.told.exists()

    gone = host.twice({"name": "web", "state": "absent"})
    assert told_the_same(gone) == ["destroy", "withdraw", "withdraw"]
    assert not host.key.is_symlink()


def test_a_key_found_on_three_hosts_is_told_with_their_names(host: Host) -> None:
    hosts = {name: {"store": str(host.root / name / "store"), "old": str(host.root / name)} for name in ("a", "b", "c")}
    for name in hosts:
        host.pair.write(host.root / name)
    adopt = {"private_key": "{{ old }}/web.key", "certificate": "{{ old }}/fullchain.pem"}
    said = {
        "store": "{{ store }}",
        "ledger": host.common["ledger"],
        "issuer": host.issuer,
        "identities": [{"name": "web", "dns_names": ["web.example.org"], "adopt": adopt}],
    }
    done = playbook.run([{MODULE: said}], hosts, home=host.root / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    warned = [bool(playbook.results(host.root / "home", name)[0].get("warnings")) for name in hosts]
    assert sum(warned) >= 2, "all but the first to write it down"
    again = playbook.run([{MODULE: said}], hosts, home=host.root / "home")
    assert [counts["changed"] for counts in playbook.recap(again).values()] == [0, 0, 0]
    (result,) = playbook.results(host.root / "home", "b")
    (finding,) = [one for one in result["identities"][0]["findings"] if one["code"] == "shared_key"]
    assert finding["msg"].startswith("its key is also that of web of a, web of c; ")
    (warning,) = result["warnings"]
    assert warning.startswith("policy: rule shared-key, web: key that web of a, web of c has too; ")
