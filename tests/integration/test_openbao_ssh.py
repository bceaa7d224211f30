# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the SSH engine of a real OpenBao signs otherwise than a user thinks, and what the user is told then."""

from __future__ import annotations

import hashlib
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import ssh
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.openbao_ssh import HOST, Backend
from ansible_collections.keystead.identity.tests.harness.revoking import Office

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]
ONE = {"name": "sshd", "kind": "ssh_host", "principals": ["web1.example.org"]}


class Site:
    """A world, and an engine with a second issuer and a role that signs by that."""

    def __init__(self, directory: Path, server: Server) -> None:
        """Make them."""
        self.world, self.backend = World(directory / "world"), Backend(directory, server)
        self.call, self.mount = server.call, self.backend.mount
        said = {"generate_signing_key": True, "key_type": "ecdsa-sha2-nistp256", "key_bits": 256}
        line = self.call("POST", f"{self.mount}/issuers/import/second", said)["data"]["public_key"]
        self.second = ssh.encoded(line.encode())
        self.call("POST", f"{self.mount}/roles/host", {**HOST, "issuer_ref": "second"})

    def run(self, **said: t.Any) -> dict[str, t.Any]:
        """Run the task once."""
        issuer = {"openbao_ssh": self.backend.options(**said)}
        return t.cast("dict[str, t.Any]", self.world.converge([ONE], issuer=issuer))

    def authority(self) -> bytes:
        """Return the key that signed what the host has."""
        return ssh.parsed(ssh.encoded(self.world.path("sshd", "current", "certificate.pub").read_bytes())).authority


@pytest.fixture
def site(openbao: Server, tmp_path: Path) -> Site:
    return Site(tmp_path, openbao)


def test_a_role_that_signs_by_another_issuer_is_told_how_to_be_used(site: Site) -> None:
    said = site.run()["msg"]
    assert f"it is signed by {ssh.fingerprint(site.second)} (SHA-256 {hashlib.sha256(site.second).hexdigest()})" in said
    assert "name in issuer.openbao_ssh.issuer_ref the issuer whose key the role signs with" in said
    assert said.endswith("nobody can take it back there; keep it from clients by RevokedHostKeys, or let it end")


def test_another_issuer_is_named_and_pinned(site: Site) -> None:
    done = site.run(issuer_ref="second")
    assert (done.get("failed"), done["changed"]) == (None, True), done.get("msg")
    assert site.authority() == site.second
    assert not site.run(issuer_ref="second")["changed"]
    office = Office(site.world.url, {"openbao_ssh": site.backend.options(issuer_ref="second")})
    said = office.refusal({"identity": "sshd"})
    assert "cannot revoke, and signed certificate" in said
    assert said.endswith("keep it from clients by RevokedHostKeys until it ends, and leave it out here")


def test_an_issuer_that_is_not_there_is_said_so(site: Site) -> None:
    said = site.run(issuer_ref="third")["msg"]
    assert f"openbao_ssh: mount {site.mount} has no issuer third; correct issuer.openbao_ssh.issuer_ref" in said


def test_what_a_role_adds_for_users_is_refused_with_a_remedy(site: Site) -> None:
    critical = {"default_critical_options": {"force-command": "/bin/false"}}
    site.call("POST", f"{site.mount}/roles/host", {**HOST, **critical})
    said = site.run()["msg"]
    assert "it has critical options" in said
    assert "default_critical_options" in said
    assert "issuer_ref" not in said
    assert "nobody can take it back there" in said
