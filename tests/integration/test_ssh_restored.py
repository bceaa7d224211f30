# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What cert_revoke does with an authority of SSH that came from a backup: its list forgot what the ledger knows."""

from __future__ import annotations

import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import ssh
from ansible_collections.keystead.identity.plugins.plugin_utils._ssh.krl import number_of
from ansible_collections.keystead.identity.tests.harness import local_ssh
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from ansible_collections.keystead.identity.tests.integration.test_ssh_revoked import Site, keygen

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.needs("ssh"), pytest.mark.one_core]


class Old(Site):
    """An authority that can be put back as it was."""

    def keep(self) -> None:
        """Back the directory up."""
        shutil.copytree(self.directory / "ssh", self.directory / "backup")

    def put_back(self) -> int:
        """Restore the backup. Return the number of the list that clients have seen."""
        seen = number_of(self.krl.read_bytes())
        shutil.rmtree(self.directory / "ssh")
        shutil.copytree(self.directory / "backup", self.directory / "ssh")
        return seen

    @property
    def number(self) -> int:
        """The number of the list."""
        return number_of(self.krl.read_bytes())


@pytest.fixture
def site(tmp_path: Path) -> Old:
    made = Old(tmp_path)
    made.issuer.begin([local_ssh.request()])
    made.keep()
    return made


@pytest.mark.parametrize("reason", ["superseded", "key_compromise"])
def test_what_is_revoked_again_after_a_backup_is_listed_again_as_it_was(site: Old, reason: str) -> None:
    path = site.user("one", 5)
    first = site.revoked(path, reason=reason)["certificates"]
    seen = site.put_back()
    assert not site.refuses("one-cert.pub")
    again = site.revoked(path, reason="superseded")
    assert [{**one, "changed": None} for one in again["certificates"]] == [{**one, "changed": None} for one in first]
    assert again["certificates"][0]["changed"]
    assert "does not say so any more" in again["steps"][0]["reason"]
    assert (site.refuses("one-cert.pub"), site.refuses("one.pub")) == (True, reason == "key_compromise")
    assert site.number > seen


def test_a_key_that_is_found_compromised_after_a_backup_is_listed(site: Old) -> None:
    path = site.user("one", 5)
    site.revoked(path, reason="superseded")
    site.put_back()
    site.revoked(path, reason="key_compromise")
    assert site.refuses("one.pub")


def test_another_revocation_after_a_backup_brings_back_what_the_list_lost(site: Old) -> None:
    for number in (5, 6):
        site.revoked(site.user(f"user{number}", number), reason="superseded")
    seen = site.put_back()
    done = site.revoked(site.user("another", 7), reason="superseded")
    assert [step["action"] for step in done["steps"]] == ["revoke", "publish"]
    assert "lacks 2 certificates that the ledger calls revoked" in done["steps"][1]["reason"]
    assert all(site.refuses(f"{name}-cert.pub") for name in ("user5", "user6", "another"))
    assert site.number > seen
    assert "warnings" not in done


def test_a_key_that_the_ledger_does_not_have_is_told_until_its_certificate_is_given(site: Old) -> None:
    path = site.user("one", 5)
    site.revoked(path, reason="key_compromise")
    site.put_back()
    another = site.user("another", 7)
    (warning,) = site.office.run({"path": str(another)}, reason="superseded")["warnings"]
    assert "serial number 05, and no list names these keys any more; revoke those certificates again" in warning
    assert (site.refuses("one-cert.pub"), site.refuses("one.pub")) == (True, False)
    site.revoked(path, reason="key_compromise")
    assert site.refuses("one.pub")


def test_the_key_of_a_host_comes_back_from_the_ledger(tmp_path: Path) -> None:
    world = World(tmp_path)
    issuer, here, backup = local_ssh.issuer(world.authorities), world.authorities / "ssh", tmp_path / "backup"
    options = {"local_ssh": {"directory": str(world.authorities), "authority": "ssh"}}
    one = {"name": "sshd", "kind": "ssh_host", "principals": ["web1.example.org"]}
    world.settled([one], issuer=options)
    line = world.path("sshd", "current", "certificate.pub").read_bytes()
    world.settled([{**one, "lifetime": "10d"}], issuer=options)
    shutil.copytree(here, backup)
    office = Office(world.url, options)
    office.settled({"serial_number": f"{ssh.parsed(ssh.encoded(line)).serial_number:x}"}, reason="key_compromise")
    shutil.rmtree(here)
    shutil.copytree(backup, here)
    done = office.run({"identity": "sshd", "issued_before": "2000-01-01T00:00:00Z"})
    assert [step["action"] for step in done["steps"]] == ["publish"]
    (tmp_path / "old.pub").write_bytes(ssh.as_text(ssh.parsed(ssh.encoded(line)).key))
    assert "REVOKED" in keygen("-Q", "-f", str(issuer.list_path), str(tmp_path / "old.pub"))


def test_a_compromised_key_whose_certificate_has_no_number_is_told_until_that_is_given(site: Old) -> None:
    path = site.user("none", 0)
    site.revoked(path, reason="key_compromise")
    site.put_back()
    another = {"path": str(site.user("another", 7))}
    for check, changed in ((True, True), (False, True), (True, False), (False, False)):
        done = site.office.run(another, reason="superseded", check=check)
        (warning,) = done["warnings"]
        assert "serial number 00, and no list names these keys any more; revoke those certificates again" in warning
        assert done["changed"] == changed
    assert not site.refuses("none.pub")
    assert "warnings" not in site.revoked(path, reason="key_compromise")
    assert site.refuses("none.pub")
    assert "warnings" not in site.office.run(another, reason="superseded")


def test_an_identity_that_goes_after_a_backup_leaves_no_list_without_what_it_lost(tmp_path: Path) -> None:
    world = World(tmp_path)
    old = Old(world.authorities)
    options = {"local_ssh": {"directory": str(world.authorities), "authority": "ssh"}}
    one = {"name": "sshd", "kind": "ssh_host", "principals": ["web1.example.org"]}
    world.settled([one], issuer=options)
    old.office.url = world.url
    old.keep()
    old.revoked(old.user("one", 5), reason="superseded")
    old.revoked(old.user("two", 0), reason="key_compromise")
    seen = old.put_back()
    gone = {"name": "sshd", "state": "absent", "kind": "ssh_host", "revoke_on_absent": True}
    done = world.settled([gone], issuer=options)
    assert "lacks 1 certificate that the ledger calls revoked, as if it came from a backup" in done["warnings"][0]
    assert "serial number 00, and no list names these keys any more" in done["warnings"][1]
    assert old.refuses("one-cert.pub")
    assert old.number > seen


def test_a_list_that_was_put_there_by_hand_and_has_more_is_not_written_over_by_who_signs(site: Old) -> None:
    site.revoked(site.user("one", 5), reason="superseded")
    site.revoked(site.user("two", 6), reason="key_compromise")
    newest = site.krl.read_bytes()
    site.put_back()
    site.krl.write_bytes(newest)
    issuer = local_ssh.issuer(site.directory)
    for _turn in range(2):
        (signed,) = issuer.begin([local_ssh.request()])
        assert local_ssh.content(signed)
        assert site.krl.read_bytes() == newest
        (advice,) = issuer.advice()
        assert f"{site.krl} has 3 certificates or keys that no record tells of" in advice
        assert issuer.advice() == [], "once"
    seen = site.number
    site.office.run({"path": str(site.user("another", 7))}, reason="superseded")
    site.revoked(site.directory / "two-cert.pub", reason="key_compromise")
    assert all(site.refuses(name) for name in ("one-cert.pub", "two.pub", "another-cert.pub"))
    assert site.number > seen
    issuer.begin([local_ssh.request()])
    assert issuer.advice() == []
