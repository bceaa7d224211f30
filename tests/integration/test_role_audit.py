# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `audit`: each run is kept, signed, and compared with the last; what was kept is never rewritten."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_trend import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._trend.converge import keep
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.ledgers import InFile

pytestmark = pytest.mark.one_core

Fields = dict[str, t.Any]
PLAY = [{"hosts": "localhost", "gather_facts": False, "roles": ["keystead.identity.audit"]}]
WEAK = {"code": "weak_key", "name": "web", "host": "web1", "store": "/s", "msg": "its key is weak"}
ENDED = {"code": "ended", "rule": None, "name": "db", "host": "web1", "store": "/s", "msg": "it has ended"}


class Site:
    """A controller with an authority, and a ledger with an identity in use."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.kept = root, root / "home", root / "audits"
        self.world = World(root, host="web1")
        self.world.one(web(contact="shop@example.org"))
        self.key = {"file": {"path": str(root / "audit.key")}}
        self.now = datetime.now(UTC)

    def run(self, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run the role; return what was printed, on one line."""
        given = {"keystead_ledger": self.world.url, "audit_directory": str(self.kept), "audit_key": self.key, **said}
        done = playbook.run(PLAY, {"web1": {}}, "-e", json.dumps(given), *args, home=self.home)
        assert done.returncode == code, done.stdout + done.stderr
        self.changed = playbook.recap(done)["localhost"]["changed"]
        return " ".join((done.stdout + done.stderr).split())

    def keep(self, *findings: Fields, days: float = 0, check: bool = False, **said: t.Any) -> Fields:
        """Keep a run, so many days later, without Ansible."""
        given = {"ledger": self.world.url, "directory": str(self.kept), "key": self.key, "findings": list(findings)}
        args = validated({**given, **said}, spec(COMMON, OPTIONS), module="identity_trend")
        return keep(args, self.now + timedelta(days=days), check=check)

    def runs(self) -> list[Path]:
        """Return the folders of all runs."""
        return sorted((self.kept / "runs").iterdir())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_run_is_kept_whole_and_a_second_one_that_finds_the_same_changes_nothing(site: Site, tmp_path: Path) -> None:
    shipped = tmp_path / "checkpoints.jws"
    said = {"audit_receivers": [{"file": {"path": str(shipped)}}], "audit_frameworks": ["pci_dss"]}
    site.run("--check", **said)
    assert not site.kept.exists()
    assert "in the first run" in site.run(**said)
    (first,) = site.runs()
    wanted = {"counts", "findings", "identities", "trend"}
    assert {path.stem for path in first.glob("*.json")} == wanted
    assert {"identities.html", "manifest.jws", "public_key.pem"} <= set(contents(first))
    assert json.loads((first / "counts.json").read_text())["identities"] == 1
    assert shipped.read_text().count(".") == 2
    before = contents(first)
    site.run(**said)
    assert (site.changed, site.runs()) == (0, [first])
    site.world.one(web(name="db", contact=None, dns_names=["db.example.org"]))
    assert "identities rose from 1 to 2" in site.run(**said)
    assert len(site.runs()) == 2
    assert contents(first) == before
    assert len(list((site.kept / "pci_dss").iterdir())) == 2


def test_what_was_altered_ends_a_run_whatever_it_is(site: Site) -> None:
    site.run()
    (first,) = site.runs()
    (first / "findings.json").write_text("[]\n[]")
    assert "is not what was signed: findings.json was changed" in site.run(code=2)
    InFile(site.world.ledger).tamper("UPDATE events SET reason = 'other' WHERE seq = 2")
    assert "the record was altered: event 2" in site.run(code=2)


def test_what_is_new_and_what_is_gone_is_told_against_the_last_run(site: Site) -> None:
    first = site.keep(ENDED, counts={"expired": 1, "weak": 0}, check=True)
    assert (first["public_key"], site.kept.exists(), first["changed"]) == (None, False, True)
    first = site.keep(ENDED, counts={"expired": 1, "weak": 0})
    assert first["trend"]["sentence"] == "1 finding in the first run"
    again = site.keep({**ENDED, "msg": "it has ended"}, counts={"expired": 1, "weak": 0})
    assert (again["changed"], again["path"]) == (False, first["path"])
    second = site.keep(WEAK, counts={"expired": 0, "weak": 1}, days=1)
    trend = second["trend"]
    assert ([one["code"] for one in trend["new"]], [one["code"] for one in trend["gone"]]) == (["weak_key"], ["ended"])
    assert trend["sentence"] == (
        f"1 finding, 1 of them new and 1 gone since {Path(first['path']).name}; "
        "expired fell from 1 to 0; weak rose from 0 to 1"
    )
    assert json.loads((Path(second["path"]) / "trend.json").read_text()) == trend
    third = site.keep(WEAK, counts={"expired": 0, "weak": 1}, days=2)
    assert (third["changed"], third["trend"]["new"]) == (True, []), "a day has a run of its own"


def test_old_runs_go_and_the_last_one_stays(site: Site) -> None:
    for day in (0, 10, 20):
        site.keep(WEAK, days=day)
    foreseen = site.keep(WEAK, days=50, keep="35d", check=True)
    assert len(foreseen["removed"]) == 2
    assert len(site.runs()) == 3
    assert len(site.keep(WEAK, days=50, keep="35d")["removed"]) == 2
    assert len(site.runs()) == 2


def test_a_run_that_another_key_has_signed_is_believed_only_where_that_is_named(site: Site) -> None:
    first = site.keep(WEAK)
    other = {"file": {"path": str(site.root / "other.key")}}
    with pytest.raises(Denied, match="nobody named the public key that it was signed with"):
        site.keep(WEAK, days=1, key=other)
    assert site.keep(WEAK, days=1, key=other, public_keys=[first["public_key"]])["trend"]["new"] == []
    with pytest.raises(Misconfigured, match=r"option files: /nowhere/x\.txt cannot be read"):
        site.keep(files=["/nowhere/x.txt"])
    with pytest.raises(Misconfigured, match="option keep: 'long' is not a duration"):
        site.keep(keep="long")
