# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `audit`: each run is kept, signed, and compared with the last; what was kept is never rewritten."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.ledgers import InFile

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

PLAY = [{"hosts": "localhost", "gather_facts": False, "roles": ["keystead.identity.audit"]}]


class Site:
    """A controller with an authority, and a ledger with an identity in use."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.kept = root, root / "home", root / "audits"
        self.world = World(root, host="web1")
        self.world.one(web(contact="shop@example.org"))
        self.key = {"file": {"path": str(root / "audit.key")}}

    def run(self, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run the role; return what was printed, on one line."""
        given = {"keystead_ledger": self.world.url, "audit_directory": str(self.kept), "audit_key": self.key, **said}
        done = playbook.run(PLAY, {"web1": {}}, "-e", json.dumps(given), *args, home=self.home)
        assert done.returncode == code, done.stdout + done.stderr
        self.changed = playbook.recap(done)["localhost"]["changed"]
        return " ".join((done.stdout + done.stderr).split())

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
    if first.name.startswith(f"{datetime.now(UTC):%Y-%m-%d}"):  # a new day has a run of its own
        assert (site.changed, site.runs()) == (0, [first])
    site.world.one(web(name="db", contact=None, dns_names=["db.example.org"]))
    assert "identities rose from 1 to 2" in site.run(**said)
    assert len(site.runs()) > 1
    assert contents(first) == before
    assert len(list((site.kept / "pci_dss").iterdir())) > 1


def test_what_was_altered_ends_a_run_whatever_it_is(site: Site) -> None:
    site.run()
    (first,) = site.runs()
    (first / "findings.json").write_text("[]\n[]")
    assert "is not what was signed: findings.json was changed" in site.run(code=2)
    InFile(site.world.ledger).tamper("UPDATE events SET reason = 'other' WHERE seq = 2")
    assert "the record was altered: event 2" in site.run(code=2)
