# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Kind ssh_host with a real sshd, whose clients trust a CA and know no key of any host."""

from __future__ import annotations

import hashlib
import subprocess
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import ssh
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import to_pem
from ansible_collections.keystead.identity.tests.harness import local_ssh, playbook
from ansible_collections.keystead.identity.tests.harness.in_process import Record, World
from ansible_collections.keystead.identity.tests.harness.openbao_ssh import Backend
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from ansible_collections.keystead.identity.tests.harness.sshd import ALIAS, Sshd, sshd
from ansible_collections.keystead.identity.tests.needs import OLD_PYTHON
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("root", "netns", "ip", "ssh", "sshd"), pytest.mark.one_core]


@dataclass
class Site:
    """A host with an sshd, and a controller with an authority for SSH."""

    world: World
    server: Sshd
    issuer: t.Any

    @property
    def options(self) -> dict[str, t.Any]:
        """The option `issuer` of a task."""
        return {"local_ssh": {"directory": str(self.world.authorities), "authority": "ssh"}}

    def identity(self, **said: t.Any) -> dict[str, t.Any]:
        """Return what a task declares: what sshd reads, how it is told, and where it listens."""
        links = self.server.directory / "links"
        found = {
            "name": "sshd",
            "kind": "ssh_host",
            "principals": [ALIAS, "192.0.2.7"],
            "key": {"type": "ed25519"},
            "links": {str(links / "ssh_host_key"): "private_key", str(links / "ssh_host_key-cert.pub"): "certificate"},
            "activate": self.server.reload,
            "prove": {"port": 22},
        }
        return {**found, **said}

    def settled(self, **said: t.Any) -> Record:
        """Run the task, which must go well and leave nothing to do, and return its record."""
        return t.cast("Record", self.world.settled([self.identity(**said)], issuer=self.options)["identities"][0])

    def failed(self, **said: t.Any) -> str:
        """Run the task, which must fail, and return what it says."""
        return str(self.world.converge([self.identity(**said)], issuer=self.options)["msg"])

    def certificate(self) -> bytes:
        """Return the line of the certificate that the host has."""
        return self.world.path("sshd", "current", "certificate.pub").read_bytes()

    def authority_key(self) -> bytes:
        """Return the private key of the authority as ssh-keygen reads it."""
        pem = (self.world.authorities / "ssh" / "private_key.pem").read_bytes()
        return to_pem(load_pem_private_key(pem, None), "openssh")

    def login(self, *options: str, **said: t.Any) -> subprocess.CompletedProcess[str]:
        """Log in as a client that trusts the authority."""
        return self.server.login(*options, known=local_ssh.known_host(self.issuer), **said)

    def lets_in(self, *options: str, **said: t.Any) -> bool:
        """Tell whether such a client gets in."""
        return self.login(*options, **said).stdout == "in\n"


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    tmp_path.chmod(0o755)
    world = World(tmp_path / "world", address="127.0.0.1")
    with sshd(tmp_path) as server:
        yield Site(world, server, local_ssh.issuer(world.authorities))


def said_of(line: bytes, directory: Path) -> str:
    """Return what ssh-keygen says of a certificate."""
    (directory / "shown.pub").write_bytes(line)
    command = ["ssh-keygen", "-L", "-f", str(directory / "shown.pub")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def serve_old(site: Site) -> None:
    """Let the server go on with copies of what it has."""
    links = site.server.directory / "links"
    for name in ("ssh_host_key", "ssh_host_key-cert.pub"):
        (site.server.directory / name).touch(mode=0o600)
        (site.server.directory / name).write_bytes((links / name).read_bytes())
    site.server.reconfigure(f"{links}/", f"{site.server.directory}/")


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-3072"])
def test_a_client_that_trusts_the_authority_alone_knows_the_host(site: Site, key_type: str) -> None:
    assert not site.lets_in(), "it has no certificate yet"
    record = site.settled(key={"type": key_type})
    assert [step["action"] for step in record["steps"]] == [
        "stage_key", "issue", "publish", "link", "link", "activate", "prove",
    ]  # fmt: skip
    assert site.lets_in()
    assert record["certificate"]["principals"] == [ALIAS, "192.0.2.7"]
    assert set(record["paths"]) == {"private_key", "public_key", "certificate"}
    told = said_of(site.certificate(), site.world.directory)
    assert "host certificate" in told
    assert ssh.fingerprint(site.issuer.roots()[0]) in told
    assert ssh.fingerprint(ssh.parsed(ssh.encoded(site.certificate())).key) in told


def test_a_client_refuses_a_host_whose_certificate_does_not_name_it(site: Site) -> None:
    site.settled(principals=["web2.example.org"])
    assert "not listed" in site.login().stderr or "name is not" in site.login().stderr, site.login().stderr


def test_another_principal_or_another_type_of_key_is_another_certificate(site: Site) -> None:
    site.settled()
    first = site.certificate()
    record = site.settled(principals=[ALIAS])
    assert record["steps"][0]["reason"] == "names differ: IP 192.0.2.7 is no longer declared"
    assert site.certificate() != first
    record = site.settled(principals=[ALIAS], key={"type": "ecdsa-p256"})
    assert record["steps"][0]["reason"] == "the key is ed25519, declared is ecdsa-p256"
    assert site.lets_in()


def test_a_key_from_before_a_moment_is_replaced_once_and_only_once(site: Site) -> None:
    site.settled()
    before = site.certificate()
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    done = site.world.converge([site.identity()], issuer=site.options, made_before=moment)
    assert not done.get("failed"), done.get("msg")
    assert ssh.parsed(ssh.encoded(site.certificate())).key != ssh.parsed(ssh.encoded(before)).key
    assert site.lets_in()


def test_a_server_that_shows_another_certificate_is_found_out_and_all_goes_back(site: Site) -> None:
    site.settled()
    before = site.certificate()
    serve_old(site)
    said = site.failed(lifetime="10d", prove={"port": 22, "timeout": "2s"})
    assert "localhost:22 shows the certificate of another key" in said
    assert said.endswith("rolled back to generation 1")
    assert site.certificate() == before
    assert site.lets_in()


def test_a_server_without_a_certificate_is_told_what_it_lacks(site: Site) -> None:
    site.server.reconfigure("HostCertificate", "#")
    said = site.failed(prove={"port": 22, "timeout": "2s"})
    assert "shows no certificate of this type; HostCertificate is not set or not read there" in said


def test_a_server_is_asked_in_every_run_where_that_is_wanted(site: Site) -> None:
    site.settled(prove={"port": 22, "when": "always", "timeout": "2s"})
    serve_old(site)
    site.settled(lifetime="10d", prove=None)
    said = site.failed(lifetime="10d", prove={"port": 22, "when": "always", "timeout": "2s"})
    assert "shows the certificate of another key" in said
    site.server.reconfigure(f"{site.server.directory}/ssh_host", f"{site.server.directory}/links/ssh_host")
    site.settled(lifetime="10d", prove={"port": 22, "when": "always", "timeout": "5s"})


def test_what_answers_no_ssh_is_said_so(site: Site) -> None:
    assert "localhost:23 cannot be reached (Connection refused)" in site.failed(prove={"port": 23, "timeout": "1s"})


def test_an_identity_that_is_absent_leaves_nothing_and_one_that_is_released_leaves_files(site: Site) -> None:
    site.settled()
    link = site.server.directory / "links" / "ssh_host_key-cert.pub"
    content = link.read_bytes()
    site.world.settled([{"name": "sshd", "state": "released"}], issuer=site.options)
    assert not link.is_symlink()
    assert link.read_bytes() == content
    assert site.lets_in()
    site.settled(name="other", links={}, activate=None, prove=None)
    gone = {"name": "other", "state": "absent", "revoke_on_absent": True}
    site.world.settled([gone], issuer=site.options)
    assert not site.world.path("other", "current").exists()


@pytest.mark.needs("openbao")
def test_a_certificate_of_the_ssh_engine_of_openbao_is_as_good_and_another_key_of_it_has_to_be_accepted(
    openbao: Server, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    world, backend = World(tmp_path / "world"), Backend(tmp_path, openbao)
    links = tmp_path / "links"
    links.mkdir()
    told = {str(links / "ssh_host_key"): "private_key", str(links / "ssh_host_key-cert.pub"): "certificate"}
    one = {"name": "sshd", "kind": "ssh_host", "principals": [ALIAS], "links": told}
    options = {"openbao_ssh": backend.options()}
    world.settled([one], issuer=options)
    key = openbao.call("GET", f"{backend.mount}/config/ca")["data"]["public_key"]
    with sshd(tmp_path) as server:  # in a network where no OpenBao is
        assert server.login(known=f"@cert-authority *.example.org {key}").stdout == "in\n"
    backend.rotate()
    done = world.converge([{**one, "lifetime": "10d"}], issuer=options)
    assert "its root changed from" in done["msg"]
    new = ssh.encoded(openbao.call("GET", f"{backend.mount}/config/ca")["data"]["public_key"].encode())
    options["openbao_ssh"]["accept_new_root"] = hashlib.sha256(new).hexdigest()
    world.settled([{**one, "lifetime": "10d"}], issuer=options)


# what was taken back


def revoked(site: Site, *certificates: dict[str, t.Any], **said: t.Any) -> dict[str, t.Any]:
    """Take certificates back, twice, each time looked at first."""
    return Office(site.world.url, site.options).settled(*certificates, **said)


def test_a_client_refuses_a_host_certificate_that_was_taken_back(site: Site) -> None:
    site.settled()
    krl = site.issuer.list_path
    assert site.lets_in(f"RevokedHostKeys={krl}"), "an empty list refuses nobody"
    old = {"serial_number": f"{ssh.parsed(ssh.encoded(site.certificate())).serial_number:x}"}
    serve_old(site)
    site.world.converge([site.identity(lifetime="10d", activate=None, prove=None)], issuer=site.options)
    done = revoked(site, old, replaced_first=False)
    assert done["certificates"][0]["status"] == "revoked"
    refused = site.login(f"RevokedHostKeys={krl}")
    assert "is revoked" in refused.stderr.lower() or "revoked" in refused.stderr.lower()
    assert refused.stdout != "in\n"
    site.server.reconfigure(f"{site.server.directory}/ssh_host", f"{site.server.directory}/links/ssh_host")
    assert site.lets_in(f"RevokedHostKeys={krl}"), "its successor is not meant"


def test_what_a_server_still_shows_is_not_revoked_without_more_ado(site: Site) -> None:
    site.settled()
    serial_number = f"{ssh.parsed(ssh.encoded(site.certificate())).serial_number:x}"
    serve_old(site)
    site.world.converge([site.identity(lifetime="10d", activate=None, prove=None)], issuer=site.options)
    said = Office(site.world.url, site.options).refusal({"serial_number": serial_number})
    assert "127.0.0.1:22, which proved sshd of web1.example.org" in said


def test_what_a_server_shows_for_an_older_type_of_key_is_not_revoked_either(site: Site) -> None:
    site.settled()
    serve_old(site)
    quiet: dict[str, t.Any] = {"activate": None, "prove": None}
    for lifetime in ("10d", "9d"):
        one = site.identity(key={"type": "ecdsa-p256"}, lifetime=lifetime, **quiet)
        site.world.converge([one], issuer=site.options)
    said = Office(site.world.url, site.options).refusal({"superseded": True})
    assert "127.0.0.1:22, which proved sshd of web1.example.org" in said


def test_a_server_refuses_a_user_whose_certificate_of_the_same_authority_was_taken_back(site: Site) -> None:
    key = site.server.directory / "private_key"
    key.touch(mode=0o600)
    key.write_bytes(site.authority_key())
    users = site.server.directory / "users.pub"
    users.write_bytes(ssh.as_text(site.issuer.roots()[0]))
    site.settled()
    site.server.add(f"TrustedUserCAKeys {users}", f"RevokedKeys {site.issuer.list_path}")
    (site.server.directory / "authorized_keys").write_text("")
    assert not site.lets_in(), "nobody knows this key"
    public = site.server.directory / "user_key.pub"
    sign = ["ssh-keygen", "-q", "-s", str(key), "-I", "ops", "-n", "root", "-z", "77", str(public)]
    subprocess.run(sign, check=True)
    certificate = site.server.directory / "user_key-cert.pub"
    assert site.lets_in(), site.login().stderr
    done = revoked(site, {"path": str(certificate)})
    assert done["certificates"][0]["serial_number"] == "4d"
    assert not site.lets_in()


def test_a_key_that_was_compromised_is_refused_without_any_certificate(site: Site) -> None:
    key = site.server.directory / "private_key"
    key.touch(mode=0o600)
    key.write_bytes(site.authority_key())
    site.settled()
    site.server.add(f"RevokedKeys {site.issuer.list_path}")
    assert site.lets_in(), "its key is in authorized_keys"
    public = site.server.directory / "user_key.pub"
    sign = ["ssh-keygen", "-q", "-s", str(key), "-I", "ops", "-n", "root", "-z", "78", str(public)]
    subprocess.run(sign, check=True)
    certificate = site.server.directory / "user_key-cert.pub"
    revoked(site, {"path": str(certificate)}, reason="superseded")
    aside = certificate.rename(certificate.with_name("aside"))
    assert site.lets_in(), "the key itself is not meant"
    revoked(site, {"path": str(aside)}, reason="key_compromise")
    assert not site.lets_in()
    query = ["ssh-keygen", "-Q", "-f", str(site.issuer.list_path), str(public)]
    assert "REVOKED" in subprocess.run(query, check=False, capture_output=True, text=True).stdout


def test_a_list_that_was_emptied_refuses_nobody_until_the_next_run(site: Site) -> None:
    key = site.server.directory / "private_key"
    key.touch(mode=0o600)
    key.write_bytes(site.authority_key())
    site.settled()
    site.server.add(f"RevokedKeys {site.issuer.list_path}")
    public = site.server.directory / "user_key.pub"
    sign = ["ssh-keygen", "-q", "-s", str(key), "-I", "ops", "-n", "root", "-z", "79", str(public)]
    subprocess.run(sign, check=True)
    one = {"path": str(site.server.directory / "user_key-cert.pub")}
    revoked(site, one, reason="key_compromise")
    assert not site.lets_in()
    site.issuer.list_path.write_bytes(b"")
    assert site.lets_in(), "sshd takes it for an empty list of keys"
    assert [step["action"] for step in revoked(site, one, reason="key_compromise")["steps"]] == ["publish"]
    assert not site.lets_in()


@pytest.mark.needs("old_cryptography")
def test_a_host_whose_cryptography_knows_no_certificate_of_ssh_has_one_all_the_same(site: Site, tmp_path: Path) -> None:
    host = {"web1": {"ansible_python_interpreter": OLD_PYTHON}}
    where = {"store": str(tmp_path / "old"), "ledger": f"sqlite:///{tmp_path}/old.db", "issuer": site.options}
    tasks = [
        {"keystead.identity.machine_identity": {**where, "identities": [site.identity(key={"type": key_type})]}}
        for key_type in ("ed25519", "ed25519", "rsa-3072", "ecdsa-p384")
    ]
    done = playbook.run(tasks, host, home=tmp_path / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one["changed"] for one in playbook.results(tmp_path / "home")] == [True, False, True, True]
    assert site.lets_in()
