# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `identity`: what a host lacks is installed, what must be mended is said, and its identities are proved."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.distribution import distribution
from ansible_collections.keystead.identity.tests.integration.test_docsite import marked
from ansible_collections.keystead.identity.tests.integration.test_examples import serving

if t.TYPE_CHECKING:
    from pathlib import Path

ROLE = "keystead.identity.identity"
Run = subprocess.CompletedProcess[str]
LIBRARY = "python3-cryptography"
WEB = {"name": "web", "dns_names": ["web.example.org"]}


class Site:
    """A controller with an authority, and a host whose role is run."""

    def __init__(self, root: Path, host: dict[str, t.Any] | None = None, **said: t.Any) -> None:
        self.root, self.host, self.home = root, host or {}, root / "home"
        self.said = {"keystead_ledger": f"sqlite:///{root}/ledger.db", "identity_store": str(root / "store"), **said}
        self.said |= {"keystead_issuer": {"local": local.two_tiers(root / "ca")}}

    def run(self, *args: str, code: int = 0, **said: t.Any) -> Run:
        """Run the role."""
        variables = {"identity_identities": [WEB], **self.said, **said}
        variables = {name: value for name, value in variables.items() if value is not None}
        done = playbook.run(
            [{"hosts": "all", "gather_facts": False, "roles": [{"role": ROLE, "vars": variables}]}],
            {"web1": self.host}, *args, home=self.home,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def refused(self, **said: t.Any) -> str:
        """Run the role, which fails; return what was printed, on one line."""
        done = self.run(code=2, **said)
        return " ".join((done.stdout + done.stderr).split())

    def steps(self) -> list[str]:
        """Return what the last run did, or would."""
        (done,) = [one for one in playbook.results(self.home) if "identities" in one]
        return [step["action"] for step in done["identities"][0]["steps"]]

    def changed(self, *args: str, **said: t.Any) -> int:
        """Run the role, which ends well; return how many tasks changed something."""
        return playbook.recap(self.run(*args, **said))["web1"]["changed"]


def test_what_is_declared_is_made_and_proved_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    site, pair = Site(tmp_path), tmp_path / "store" / "web" / "current"
    with serving(pair / "fullchain.pem", pair / "private_key.pem") as server:
        site.said["identity_identities"] = [{**WEB, "prove": {"port": server.port}}]
        assert site.changed("--check") == 1
        foreseen = site.steps()
        assert not pair.exists()
        assert site.changed() == 1
        assert site.steps() == foreseen
        assert "prove" in foreseen
        assert [site.changed(), site.changed("--check", identity_preflight=False)] == [0, 0]
    assert site.changed(identity_identities=[{"name": "web", "state": "absent"}]) == 1
    assert not pair.exists()


def test_all_that_must_be_mended_is_said_at_once_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("nonsense", encoding="ascii")
    site = Site(tmp_path, keystead_policy=str(tmp_path / "rules.yml"))
    issuer = {"local": {"directory": str(tmp_path / "nowhere"), "authority": "issuing"}}
    said = site.refused(identity_issuer=issuer)
    assert "identity: policy (controller): " in said
    assert f"{tmp_path}/nowhere" in said
    assert not (tmp_path / "store").exists()


def test_a_role_that_is_told_nothing_goes_by_the_variables_of_the_host(tmp_path: Path) -> None:
    assert "option identities is missing" in Site(tmp_path).refused(identity_identities=None)
    site = Site(tmp_path, {"keystead_identities": [WEB]}, identity_identities=None)
    assert [site.changed(), site.changed()] == [1, 0]
    assert (tmp_path / "store" / "web").is_dir()


@pytest.mark.needs("tmpfs", "apt", "root", "old_cryptography")
def test_a_host_without_the_library_gets_it_from_its_package_manager(tmp_path: Path) -> None:
    with distribution(tmp_path) as host:
        host.lacks(LIBRARY)
        python = {"ansible_python_interpreter": str(host.interpreter)}
        site = Site(tmp_path, python)
        refused = site.refused(identity_requirements_install=False)
        assert f"has no cryptography; install the package {LIBRARY}" in refused
        assert site.changed("--check") == 1
        assert host.run("dpkg-query", "--status", LIBRARY, check=False).returncode == 1
        assert site.changed() == 2
        assert (tmp_path / "store/web/current/certificate.pem").exists()
        assert [site.changed(), site.changed("--check")] == [0, 0]


def test_the_play_of_the_guide_does_what_it_says(tmp_path: Path) -> None:
    ((play,),) = [one for one in marked("first_hour", "fragment") if "roles" in one[0]]
    site = Site(tmp_path)
    told = {**play, "hosts": "all", "become": False, "vars": site.said}
    for changed in (1, 0):
        done = playbook.run([told], {"web1.example.org": {}}, home=site.home)
        assert done.returncode == 0, done.stdout + done.stderr
        assert playbook.recap(done)["web1.example.org"]["changed"] == changed
