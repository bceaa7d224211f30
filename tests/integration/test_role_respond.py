# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `respond` and its playbooks: a key leaks, is used by a thief, and at the end no client takes it any more."""

from __future__ import annotations

import json
import subprocess
import typing as t
from datetime import datetime
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.tests.harness import local, playbook
from cryptography import x509

pytestmark = [pytest.mark.needs("openssl"), pytest.mark.one_core]

Run = subprocess.CompletedProcess[str]
HOSTS = ("web1", "web2", "web3")
PLAYBOOK = Path("keystead.identity.ir_key_compromise")


class Lab:
    """Three hosts with an identity each, and one whose pair somebody copied from another."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.kept = root, root / "home", root / "incident"
        issuer = {"local": local.two_tiers(root / "ca")}
        self.common = {"keystead_ledger": f"sqlite:///{root}/ledger.db", "keystead_issuer": issuer}
        self.hosts: dict[str, dict[str, t.Any]] = {
            name: {"keystead_store": str(root / name), "keystead_identities": [self.web()]} for name in HOSTS
        }

    def web(self, **said: t.Any) -> dict[str, t.Any]:
        """Return the declaration of a host's identity."""
        return {"name": "web", "dns_names": ["web.example.org"], "contact": "shop@example.org", **said}

    def run(self, book: t.Any, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run a playbook; return what was printed, on one line."""
        done = playbook.run(book, self.hosts, "-e", json.dumps({**self.common, **said}), *args, home=self.home)
        assert done.returncode == code, done.stdout + done.stderr
        self.recap = playbook.recap(done)
        return " ".join((done.stdout + done.stderr).split())

    def provide(self) -> None:
        """Give the hosts what they declare."""
        self.run([{"hosts": "all", "gather_facts": False, "roles": ["keystead.identity.identity"]}])

    def leak(self) -> str:
        """Let somebody copy the pair of the first host to the second one; return the key, as an incident names it."""
        there = self.root / "copied"
        there.mkdir()
        for part in ("fullchain", "private_key"):
            (there / f"{part}.pem").touch(0o600)
            (there / f"{part}.pem").write_bytes((self.current("web1") / f"{part}.pem").read_bytes())
        adopt = {"certificate": str(there / "fullchain.pem"), "private_key": str(there / "private_key.pem")}
        self.hosts["web2"]["keystead_identities"] = [self.web(name="copy", adopt=adopt)]
        return spki_sha256(self.certificate("web1").public_key())

    def current(self, host: str, name: str = "web") -> Path:
        """Return the generation in use."""
        return (self.root / host / name / "current").resolve()

    def certificate(self, host: str, name: str = "web") -> x509.Certificate:
        """Return the certificate in use."""
        return x509.load_pem_x509_certificate((self.current(host, name) / "certificate.pem").read_bytes())

    def verdict(self, certificate: Path) -> str:
        """Return what openssl says of a certificate, by the list of its authority."""
        ca = self.root / "ca"
        argv = ["openssl", "verify", "-crl_check", "-CAfile", ca / "root/certificate.pem"]
        argv += ["-untrusted", ca / "issuing/certificate.pem", "-CRLfile", ca / "issuing/crl.pem", certificate]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def respond(self, key: str, *args: str, **said: t.Any) -> str:
        """Answer the incident of a key that leaked."""
        about = {"keystead_ir": {"spki_sha256": [key]}, "keystead_ir_directory": str(self.kept), **said}
        return self.run(PLAYBOOK, *args, **about)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path)
    made.provide()
    return made


def test_a_key_that_leaked_is_replaced_wherever_it_is_and_only_then_revoked(lab: Lab) -> None:
    key = lab.leak()
    lab.provide()
    stolen, before = lab.root / "copied/fullchain.pem", lab.certificate("web3")
    foreseen = lab.respond(key, "--check")
    assert "1. Replace on web1" in foreseen
    assert "Contact: shop@example.org" in foreseen
    assert "1 of the certificates would be revoked, once all is replaced" in foreseen
    assert lab.recap["web1"]["changed"] == 1
    assert "contained" not in foreseen
    assert not lab.kept.exists()

    lab.respond(key)
    assert "certificate revoked" in lab.verdict(stolen)
    assert "OK" in lab.verdict(lab.current("web1") / "certificate.pem")
    assert "OK" in lab.verdict(lab.current("web2", "copy") / "certificate.pem")
    keys = {spki_sha256(lab.certificate(*place).public_key()) for place in (("web1",), ("web2", "copy"), ("web3",))}
    assert len(keys - {key}) == 3
    assert lab.certificate("web3") == before
    assert "web3" not in lab.recap

    times = json.loads((lab.kept / "times.json").read_text())
    stages = ("detected", "triaged", "recovered", "contained", "verified")
    moments = [datetime.fromisoformat(times[one]) for one in stages]
    assert moments == sorted(moments)
    assert json.loads((lab.kept / "before.json").read_text())["totals"]["affected"] == 2
    assert json.loads((lab.kept / "after.json").read_text())["totals"]["affected"] == 0
    assert "Replace it by one with a new key on web1" in (lab.kept / "runbook.md").read_text()

    kept = {path.name: path.read_text() for path in lab.kept.iterdir()}
    lab.respond(key)
    assert lab.recap["localhost"]["changed"] == 0
    assert "web1" not in lab.recap
    assert {path.name: path.read_text() for path in lab.kept.iterdir()} == kept


def test_what_cannot_be_replaced_keeps_everything_in_use(lab: Lab) -> None:
    key = lab.leak()
    lab.provide()
    lab.hosts["web1"]["keystead_identities"] = [lab.web(activate={"command": ["false"]})]
    about = {"keystead_ir": {"host": ["web1"]}, "keystead_ir_directory": str(lab.kept)}
    said = lab.run(PLAYBOOK, code=2, **about)
    assert "rolled back to generation 1" in said
    first = json.loads((lab.kept / "times.json").read_text())
    assert first.keys() == {"detected", "triaged"}
    assert spki_sha256(lab.certificate("web1").public_key()) == key
    assert not (lab.root / "ca/issuing/crl.pem").exists() or "OK" in lab.verdict(lab.root / "copied/fullchain.pem")
    lab.hosts["web1"]["keystead_identities"] = [lab.web()]
    lab.run(PLAYBOOK, **about)
    assert "certificate revoked" in lab.verdict(lab.root / "copied/fullchain.pem")
    assert json.loads((lab.kept / "times.json").read_text())["detected"] == first["detected"]
    lab.run(PLAYBOOK, **about)
    assert "web1" not in lab.recap, "what was made since is left alone"


def test_what_the_inventory_lacks_is_said_before_anything_is_done(lab: Lab) -> None:
    key = spki_sha256(lab.certificate("web1").public_key())
    del lab.hosts["web1"]
    assert "web1 has keys to replace, and is not in this inventory; add it there" in lab.run(
        PLAYBOOK, code=2, keystead_ir={"spki_sha256": [key]}
    )
    lab.hosts["web1"] = {"keystead_store": str(lab.root / "web1")}
    assert "keystead_identities does not declare it; declare it there" in lab.run(
        PLAYBOOK, code=2, keystead_ir={"spki_sha256": [key]}
    )
    assert spki_sha256(lab.certificate("web1").public_key()) == key
