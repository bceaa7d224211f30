# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `trust` with a real nginx: whom it turns away and whom it answers is what the bundles of the host say."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import until
from ansible_collections.keystead.identity.tests.harness.mesh import mesh
from ansible_collections.keystead.identity.tests.integration.test_trust_lab import Shop

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.needs("nginx"), pytest.mark.one_core]

ROLE = "keystead.identity.trust"
OK = "HTTP/1.1 200 OK"
Run = subprocess.CompletedProcess[str]


class Site:
    """A host with an nginx that verifies its clients, and a client whose authority it does not know yet."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        server, client = mesh(root, "shop1", "shop2")
        server.peer("issuing")
        client.peer("b")
        server.trust("issuing")
        client.trust("issuing")
        self.shop, self.client = Shop(server), Shop(client)
        self.reload = [*self.shop.argv, "-s", "reload"]

    def bundle(self, *authorities: str, **said: t.Any) -> dict[str, t.Any]:
        """Return the declaration of the bundle."""
        node = self.shop.node
        texts = [node.root(one) for one in authorities]
        told = {"command": self.reload}
        return {"name": "peers", "path": str(node.bundle), "anchors": texts, "activate": told, **said}

    def run(self, *args: str, code: int = 0, host: dict[str, t.Any] | None = None, **said: t.Any) -> Run:
        """Run the role."""
        variables = {"keystead_ledger": self.shop.node.url, **said}
        play = {"hosts": "all", "gather_facts": False, "roles": [{"role": ROLE, "vars": variables}]}
        done = playbook.run([play], {self.shop.node.host: host or {}}, *args, home=self.home)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def steps(self, *args: str, **said: t.Any) -> list[str]:
        """Run the role, which ends well; return what it did, or would."""
        done = self.run(*args, **said)
        result = playbook.results(self.home, self.shop.node.host)[-1]
        steps = [step["action"] for one in result["results"] for step in one["steps"]]
        assert playbook.recap(done)[self.shop.node.host]["changed"] == bool(steps)
        return steps

    def refused(self, **said: t.Any) -> str:
        """Run the role, which fails; return what was printed, on one line."""
        done = self.run(code=2, **said)
        return " ".join((done.stdout + done.stderr).split())

    def answer(self) -> str:
        """Return what the client is answered."""
        return self.shop.answer_to(self.client)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.shop.start()
    try:
        yield made
    finally:
        made.shop.stop()


def test_a_client_is_answered_after_the_run_that_declares_its_authority(site: Site) -> None:
    assert site.answer() != OK
    both = {"trust_bundles": [site.bundle("issuing", "b")]}
    assert site.steps("--check", **both) == ["publish", "activate"]
    assert site.answer() != OK
    assert site.steps(**both) == ["publish", "activate"]
    until(lambda: site.answer() == OK)
    assert [site.steps(**both), site.steps("--check", **both)] == [[], []]


def test_a_host_killed_before_the_reload_is_made_good_by_the_next_run(site: Site, tmp_path: Path) -> None:
    marker = tmp_path / "killed"
    once = f'test -e {marker} || {{ touch {marker}; kill -9 $PPID; exit 1; }}; exec "$@"'
    both = site.bundle("issuing", "b", activate={"command": ["sh", "-c", once, "sh", *site.reload]})
    said = site.refused(trust_bundles=[both])
    assert "ended with 137 and without an answer" in said
    assert marker.exists()
    assert site.shop.node.bundle.read_text().count("BEGIN") == 2, "the file has it"
    assert site.answer() != OK, "and nobody told the service"
    assert site.steps("--check", trust_bundles=[both]) == ["activate"]
    assert site.steps(trust_bundles=[both]) == ["activate"]
    until(lambda: site.answer() == OK)
    assert site.steps(trust_bundles=[both]) == []


def test_a_bundle_whose_service_fails_keeps_no_other_one_waiting(site: Site, tmp_path: Path) -> None:
    other, node = tmp_path / "other.pem", site.shop.node
    stuck = {"name": "stuck", "path": str(other), "anchors": [node.root("b")], "activate": {"command": ["false"]}}
    said = site.refused(trust_bundles=[stuck, site.bundle("issuing", "b")])
    assert f"activate.command: false exited with 1; {other} is as it is declared, and its service was not told" in said
    until(lambda: site.answer() == OK)
    mended = {**stuck, "activate": {"command": ["true"]}}
    assert site.steps(trust_bundles=[mended, site.bundle("issuing", "b")]) == ["activate"]


def test_a_role_that_is_told_nothing_goes_by_the_variables_of_the_host(site: Site) -> None:
    assert "no bundle is declared; write trust_bundles, or the variable keystead_trust_bundles" in site.refused()
    misspelt = {**site.bundle("issuing"), "drop": True}
    assert "trust: a bundle has drop, and can have activate, anchors" in site.refused(
        host={"keystead_trust_bundles": [misspelt]}
    )
    assert "drop" in site.refused(trust_bundles=[misspelt])
    assert site.steps(host={"keystead_trust_bundles": [site.bundle("issuing", "b")]}) == ["publish", "activate"]
    assert site.steps(trust_bundles=[]) == []
