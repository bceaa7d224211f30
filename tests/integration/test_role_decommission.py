# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `decommission` and its playbook: everything that a host held is gone, refused by others, and signed for."""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.consumers import Listener
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports
from ansible_collections.keystead.identity.tests.harness.softhsm import MODULE, PIN, SoftHsm, keys_of
from cryptography import x509

if t.TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = pytest.mark.one_core

PLAYBOOK = Path("keystead.identity.decommission")
TOKEN = "rack"
WELCOME = b"you are welcome\n"


class Lab:
    """A controller with its authorities, and hosts that hold what they declare."""

    def __init__(self, root: Path, **issuer: t.Any) -> None:
        self.root, self.home, self.kept = root, root / "home", root / "destroyed"
        self.env: dict[str, str] = {}
        options = issuer or {"local": local.two_tiers(root / "ca")}
        self.common: dict[str, t.Any] = {"keystead_ledger": f"sqlite:///{root}/ledger.db", "keystead_issuer": options}
        self.hosts: dict[str, dict[str, t.Any]] = {}

    def provide(self, *tasks: dict[str, t.Any], **hosts: list[dict[str, t.Any]]) -> None:
        """Give hosts identities, and run further tasks; afterwards nobody declares them any more."""
        told = {
            name: {"keystead_store": str(self.root / name), "keystead_identities": declared}
            for name, declared in hosts.items()
        }
        role = {"name": "keystead.identity.identity"}
        self.run([{"ansible.builtin.include_role": role, "vars": {"identity_preflight": False}}, *tasks], told)
        self.hosts |= {name: {} for name in hosts}

    def run(self, book: t.Any, hosts: dict[str, t.Any], *args: str, code: int = 0, **said: t.Any) -> str:
        """Run a playbook; return what was printed, on one line."""
        told = json.dumps({**self.common, **said})
        done = playbook.run(book, hosts, "-e", told, *args, home=self.home, env=self.env)
        assert done.returncode == code, done.stdout + done.stderr
        self.recap = playbook.recap(done)
        return " ".join((done.stdout + done.stderr).split())

    def decommission(self, hosts: str, *args: str, code: int = 0, **said: t.Any) -> str:
        """Let hosts go."""
        about = {"keystead_decommission_hosts": hosts, "keystead_decommission_directory": str(self.kept), **said}
        return self.run(PLAYBOOK, self.hosts, *args, code=code, **about)

    def current(self, host: str, name: str) -> Path:
        """Return the generation in use."""
        return (self.root / host / name / "current").resolve()

    def written(self, host: str) -> tuple[Path, dict[str, t.Any]]:
        """Return the one certificate of destruction of a host, and what it says."""
        (folder,) = (self.kept / host).iterdir()
        said: dict[str, t.Any] = json.loads((folder / "certificate.json").read_text())
        return folder, said

    def audit(self) -> None:
        """Let an auditor verify all certificates of destruction."""
        task = {"evidence": [str(self.kept)], "public_keys": [str(next(self.kept.glob("*/*/public_key.pem")))]}
        self.run([{"keystead.identity.identity_audit": task}], {"web1": {}})

    @contextlib.contextmanager
    def door(self) -> Iterator[Listener]:
        """Yield a TLS server that welcomes clients of the authority, as its newest revocation list says."""
        ca = self.root / "ca"
        local.authority(ca, "doors")
        pair = self.root / "door"

        def answer(connection: socket.socket) -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair / "fullchain.pem", pair / "private_key.pem")
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(ca / "root/certificate.pem")
            context.load_verify_locations(ca / "issuing/certificate.pem")
            if (ca / "issuing/crl.pem").exists():
                context.load_verify_locations(ca / "issuing/crl.pem")
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.sendall(WELCOME)

        with Listener(answer) as server:
            yield server


def keep(pair: Path, there: Path) -> Path:
    """Copy a pair, as somebody does who wants to use it afterwards."""
    there.mkdir()
    for part in ("fullchain.pem", "private_key.pem"):
        (there / part).touch(0o600)
        (there / part).write_bytes((pair / part).read_bytes())
    return there


def knock(port: int, pair: Path) -> bool:
    """Show a client's pair to a server by openssl; tell whether it is welcome."""
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-cert", f"{pair}/fullchain.pem"]
    argv += ["-cert_chain", f"{pair}/fullchain.pem", "-key", f"{pair}/private_key.pem", "-ign_eof"]
    done = subprocess.run(argv, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    return WELCOME in done.stdout


def is_listed(krl: Path, certificate: Path) -> bool:
    """Tell whether ssh-keygen finds a certificate in a revocation list."""
    done = subprocess.run(["ssh-keygen", "-Q", "-f", str(krl), str(certificate)], check=False, capture_output=True)
    return b"REVOKED" in done.stdout


def hook(path: Path, variable: str) -> list[str]:
    """Write a file of tasks that notes whom it was run for."""
    line = f"{variable}: {{{{ inventory_hostname }}}}, {{{{ decommission_found.to_revoke | length }}}} to revoke"
    note = {"path": str(path.with_suffix(".log")), "line": line, "create": True, "mode": "0600"}
    task = {"name": "Note it", "ansible.builtin.lineinfile": note, "delegate_to": "localhost"}
    path.write_text(json.dumps([task]), encoding="utf-8")
    return [str(path)]


class Rack(Lab):
    """A host with a client's certificate that was renewed, one of SSH and a key in a token; and its peer."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.hsm, pin = SoftHsm(root), root / "pin"
        self.hsm.add(TOKEN)
        self.env = self.hsm.environment
        pin.touch(0o600)
        pin.write_text(PIN)
        local.authority(root / "ca", "ssh", key={"type": "ed25519"})
        of_ssh = {"local_ssh": {"directory": str(root / "ca"), "authority": "ssh"}}
        self.common |= {"keystead_issuers": [of_ssh]}
        self.token = {"pkcs11": {"module_path": MODULE, "token_label": TOKEN, "pin_file": str(pin)}}
        self.links = [root / "web.pem", root / "bundle.pem"]
        web = {
            "name": "web", "dns_names": ["web1.example.org"], "profile": "tls_client", "service": "shop",
            "keep_generations": 1, "links": {str(self.links[0]): "fullchain"},
            "publish": [{"pem_bundle": {"path": str(self.links[1])}}],
        }  # fmt: skip
        sshd = {"name": "sshd", "kind": "ssh_host", "principals": ["web1.example.org"], "issuer": of_ssh}
        signing = {"name": "signing", "dns_names": ["sign.example.org"], "key": {"custody": self.token}}
        peer = {"name": "peer", "dns_names": ["peer.example.org"], "trusts": [{"service": "shop"}]}
        self.provide(*self.keys(), web1=[web, sshd, signing], web2=[peer, {"name": "door", "dns_names": ["localhost"]}])
        self.pairs = [keep(self.current("web1", "web"), root / "first")]
        self.provide(web1=[{**web, "lifetime": "20d"}, sshd, signing])
        self.pairs.append(keep(self.current("web1", "web"), root / "second"))
        self.of_ssh = root / "sshd-cert.pub"
        shutil.copy(next(self.current("web1", "sshd").glob("*cert*")), self.of_ssh)
        keep(self.current("web2", "door"), root / "door")

    def keys(self) -> Iterator[dict[str, t.Any]]:
        """Yield tasks that make a key of no identity, one in another token, and take over one that was there."""
        self.hsm.add("other")
        self.hsm.tool(TOKEN, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "shared", "--id", "0b")
        for label, token in (("release", TOKEN), ("elsewhere", "other"), ("shared", TOKEN)):
            key = {**self.token["pkcs11"], "token_label": token, "label": label}
            key["ledger"] = self.common["keystead_ledger"]
            yield {"keystead.identity.hsm_key": key, "when": "inventory_hostname == 'web1'"}

    def check_nothing_is_left(self) -> None:
        """See by tools that are not ours that everything is gone, and that what others have is not."""
        assert is_listed(self.root / "ca/ssh/ssh/revoked.krl", self.of_ssh)
        assert keys_of(self.hsm.tool(TOKEN, "--list-objects"), "shared") == ["Private Key: 0b", "Public Key: 0b"]
        assert self.hsm.tool(TOKEN, "--list-objects").count("Private Key Object") == 1, "that one was only taken over"
        assert "Private Key Object" in self.hsm.tool("other", "--list-objects"), "that is in a token nobody named"
        assert [one.name for one in (self.root / "web1").iterdir() if not one.name.startswith(".")] == []
        assert not any(path.is_symlink() or path.exists() for path in self.links)
        assert (self.current("web2", "peer") / "private_key.pem").exists()


@pytest.mark.needs("openssl", "ssh", "softhsm", "pkcs11-tool", "python-pkcs11")
def test_all_that_a_host_held_is_destroyed_refused_by_everybody_and_signed_for(tmp_path: Path) -> None:
    rack, said = Rack(tmp_path), {"keystead_decommission_before": hook(tmp_path / "before.yml", "balancer")}
    said["keystead_decommission_after"] = hook(tmp_path / "after.yml", "known_hosts")
    unreached = rack.decommission("web1", code=2, **said)
    assert "the key of signing is in pkcs11; say in decommission_custody how that is reached" in unreached
    with rack.door() as server:
        foreseen = rack.decommission("web1", "--check", decommission_custody=rack.token, **said)
        assert "web1 holds 3 identities; 4 of 4 credentials are to be revoked" in foreseen
        assert "peer of web2 trusts service shop" in foreseen
        assert foreseen.count("is of no identity, was made for this host, and is to be destroyed") == 1
        assert rack.recap["web1"]["changed"] == 5, "two hooks, the host, its token, and its certificates"
        assert [knock(server.port, one) for one in rack.pairs] == [True, True]
        assert not any(path.exists() for path in (rack.kept, tmp_path / "before.log"))

        assert rack.hsm.tool(TOKEN, "--list-objects").count("Private Key Object") == 3
        rack.decommission("web1", decommission_custody=rack.token, **said)
        assert [knock(server.port, one) for one in rack.pairs] == [False, False]
    rack.check_nothing_is_left()
    assert (tmp_path / "before.log").read_text() == "balancer: web1, 4 to revoke\n"
    assert (tmp_path / "after.log").exists()

    folder, certificate = rack.written("web1")
    found = certificate["credentials"]
    assert [(one["identity"], one["generation"], one["custody"]) for one in found] == [
        ("signing", 1, "pkcs11"), ("sshd", 1, "file"), ("web", 1, "file"), ("web", 2, "file"),
    ]  # fmt: skip
    assert {one["certificate"]["done"] for one in found} == {"it is revoked (cessation_of_operation)"}
    assert all(one["key"]["proved"] and one["key"]["at"] for one in found)
    assert {one["label"]: one["key"]["proved"] for one in certificate["keys"]} == {
        "release": True, "elsewhere": False, "shared": False,
    }  # fmt: skip
    text = (folder / "certificate.md").read_text()
    for sentence in (
        "Of 11 certificates and keys, 2 could not be proved to be gone.",
        "it was there before it was taken over, and others may use it",
        "it is still recorded as there, in pkcs11:token=other;serial=",
        "a solid-state drive writes to other cells",
        "peer of web2 trusts service shop",
    ):
        assert sentence in text
    rack.audit()

    before = {path: path.read_bytes() for path in rack.kept.rglob("*") if path.is_file()}
    rack.decommission("web1", decommission_custody=rack.token)
    assert rack.recap["web1"]["changed"] == 0
    assert {path: path.read_bytes() for path in rack.kept.rglob("*") if path.is_file()} == before


@pytest.mark.needs("openbao")
def test_a_host_that_is_gone_is_decommissioned_from_the_ledger_alone(openbao: Server, tmp_path: Path) -> None:
    pki = make.pki(openbao)
    lab = Lab(tmp_path, openbao=pki.options(make.approle(pki)))
    web = {"name": "web", "dns_names": ["web.example.org"], "lifetime": "20d"}
    lab.provide(web1=[web], web2=[web, {**web, "name": "old"}])
    lab.provide(web2=[{"name": "old", "state": "absent"}])
    shutil.rmtree(tmp_path / "web2")
    (port,) = free_ports(1)
    lab.hosts["web2"] = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": port}

    said = lab.decommission("web2", code=2)
    assert "web2 cannot be reached, so nothing was done; make it reachable, or, where it is gone" in said
    assert not lab.kept.exists()
    gone = {"keystead_decommission_gone": True}
    foreseen = lab.decommission("web2", "--check", **gone)
    assert "web2 holds 1 identities; 2 of 2 credentials are to be revoked" in foreseen
    del lab.hosts["web2"]
    printed = lab.decommission("web2", **gone)
    assert "not proved: key of web, generation 1: its host is gone: nobody saw its files removed" in printed

    folder, certificate = lab.written("web2")
    old, lost = certificate["credentials"]
    assert certificate["proved"] is False
    assert old["key"]["proved"], "the ledger has seen it destroyed"
    assert (lost["key"]["proved"], lost["key"]["done"]) == (False, "nothing was done")
    assert lost["certificate"]["proved"]
    serials = [one["serial_number"].replace(":", "-") for one in (old, lost)]
    assert all(pki.call("GET", f"{pki.mount}/cert/{one}")["data"]["revocation_time"] for one in serials)
    assert "It was gone, and its credentials were ended by the ledger alone." in (folder / "certificate.md").read_text()
    lab.decommission("web2", **gone)
    assert lab.recap["web2"]["changed"] == 0
    assert lab.written("web2")[1] == certificate


def test_what_was_left_half_done_is_finished_and_what_others_use_stays_good(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    web = {"name": "web", "dns_names": ["web.example.org"]}
    lab.provide(web1=[web, {**web, "name": "own"}])
    copied = keep(lab.current("web1", "web"), tmp_path / "copied")
    adopt = {"certificate": str(copied / "fullchain.pem"), "private_key": str(copied / "private_key.pem")}
    lab.provide(web2=[{"name": "copy", "dns_names": ["web.example.org"], "adopt": adopt}])
    authority, own = tmp_path / "ca/issuing", tmp_path / "web1/own"
    nobody = {"keystead_issuer": {"local": {"directory": f"{tmp_path}/ca", "authority": "root"}}}
    unnamed = lab.decommission("web1", code=2, **nobody)
    assert "signed what web1 holds, and has to revoke it, so nothing was done" in unnamed
    assert own.exists(), "nothing is removed as long as somebody is missing who has to revoke"
    (authority / "private_key.pem").rename(tmp_path / "away")
    assert "private_key.pem" in lab.decommission("web1", code=2)
    assert not own.exists(), "the keys are destroyed first"
    assert not lab.kept.exists()
    (tmp_path / "away").rename(authority / "private_key.pem")

    printed = lab.decommission("web1")
    assert "stays good, since it is in use as copy of web2" in printed
    own, web = lab.written("web1")[1]["credentials"]
    assert own["certificate"]["proved"]
    assert own["key"]["proved"]
    assert web["certificate"]["why_not"] == "it is in use as copy of web2"
    assert web["key"]["why_not"] == "copy of web2 has the same key"
    listed = {one.serial_number for one in x509.load_pem_x509_crl((authority / "crl.pem").read_bytes())}
    assert listed == {int(own["serial_number"].replace(":", ""), 16)}
    written = lab.written("web1")[0] / "certificate.md"
    written.write_text(written.read_text().replace("not proved", "proved"))
    assert "is not what was signed: certificate.md was changed" in lab.decommission("web1", code=2)


@pytest.mark.parametrize(("said", "refusal"), [
    ({"hosts": "web1,"}, "'' is not the name of a host or of a group"),
    ({"hosts": ["web1", "!web2", "w*", "all", "web3"]}, "'!web2', 'w*', 'all', 'web3' is not the name of a host"),
    ({"hosts": "!web2", "gone": True}, "'!web2' is not the name of a host"),
    ({"hosts": "shop"}, "comes to 2 hosts (web1, web2), and 1 is expected"),
    ({"hosts": []}, "Set keystead_decommission_hosts, the hosts that go"),
])  # fmt: skip
def test_only_hosts_that_are_named_exactly_and_counted_go(tmp_path: Path, said: t.Any, refusal: str) -> None:
    (tmp_path / "inventory").write_text("[shop]\nweb1\nweb2\n[shop:vars]\nansible_connection=local\n")
    told = {f"keystead_decommission_{name}": value for name, value in said.items()}
    extra = json.dumps({"keystead_decommission_directory": str(tmp_path / "gone"), **told})
    done = playbook.run(PLAYBOOK, tmp_path / "inventory", "-e", extra, home=tmp_path / "home")
    assert done.returncode == 2
    assert refusal in " ".join((done.stdout + done.stderr).split())
    assert list(playbook.recap(done)) == ["localhost"]


def test_a_group_goes_where_its_hosts_are_counted_and_a_limit_without_localhost_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("[shop]\nweb1\nweb2\n[shop:vars]\nansible_connection=local\n")
    told = {"hosts": "shop", "expect": 2, "directory": str(tmp_path / "gone")}
    extra = {f"keystead_decommission_{name}": value for name, value in told.items()}
    extra["keystead_ledger"] = f"sqlite:///{tmp_path}/ledger.db"

    def run(*args: str) -> str:
        given = ("-e", json.dumps(extra), *args)
        done = playbook.run(PLAYBOOK, tmp_path / "inventory", *given, home=tmp_path / "home")
        assert done.returncode == 2
        assert set(playbook.recap(done)) - {"localhost"} == {"web1", "web2"}
        return " ".join((done.stdout + done.stderr).split())

    assert "there is no ledger" in run()
    assert "nobody looked whether web1 goes, so nothing was done" in run("--limit", "web1,web2")
