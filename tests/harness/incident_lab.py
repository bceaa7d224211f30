# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Hosts where incidents happen: each with an identity of one authority, and openssl as the client of them all."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_incident import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._incident.answer import Setting, answer
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import local, playbook
from cryptography import x509

HOSTS = ("web1", "web2", "web3")
PLAYBOOK = Path("keystead.identity.ir_key_compromise")


class Lab:
    """Hosts with an identity each. Somebody may copy the pair of one to another."""

    def __init__(self, root: Path, hosts: t.Sequence[str] = HOSTS) -> None:
        self.root, self.home, self.kept = root, root / "home", root / "incident"
        issuer = {"local": local.two_tiers(root / "ca")}
        self.common = {"keystead_ledger": f"sqlite:///{root}/ledger.db", "keystead_issuer": issuer}
        self.hosts: dict[str, dict[str, t.Any]] = {
            name: {"keystead_store": str(root / name), "keystead_identities": [self.web()]} for name in hosts
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

    def incidents(self) -> list[dict[str, t.Any]]:
        """Return what the ledger knows of incidents."""
        options = {"ledger": self.common["keystead_ledger"]}
        args = validated(options, spec(COMMON, OPTIONS), module="identity_incident")
        found: list[dict[str, t.Any]] = answer(args, Setting("controller", None, check=True))["incidents"]
        return found

    def respond(self, key: str, *args: str, **said: t.Any) -> str:
        """Answer the incident of a key that leaked."""
        about = {"keystead_ir": {"spki_sha256": [key]}, "keystead_ir_directory": str(self.kept), **said}
        return self.run(PLAYBOOK, *args, **about)
