# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The playbook retire_backend: all that an OpenBao signed moves to a local authority, and its own list is empty."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness import openbao as make
from cryptography import x509

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]

HOSTS = ("web1", "web2")
BOOK = Path("keystead.identity.retire_backend")
PROVIDE = [{"hosts": "all", "gather_facts": False, "roles": ["keystead.identity.identity"]}]


class Move:
    """Two hosts with identities of an OpenBao, which another authority is to follow."""

    def __init__(self, root: Path, server: Server) -> None:
        self.root, self.pki = root, make.pki(server)
        self.old = {"openbao": self.pki.options()}
        self.new = {"local": local.two_tiers(root / "ca")}
        self.hosts: dict[str, dict[str, t.Any]] = {
            name: {
                "keystead_store": str(root / name),
                "keystead_identities": [
                    {"name": "web", "dns_names": [f"{name}.example.org"], "contact": "shop@example.org"}
                ],
            }
            for name in HOSTS
        }

    def run(self, book: t.Any, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run a playbook; return what was printed, on one line."""
        common = {"keystead_ledger": f"sqlite:///{self.root}/ledger.db", **said}
        done = playbook.run(book, self.hosts, "-e", json.dumps(common), *args, home=self.root / "home")
        assert done.returncode == code, done.stdout + done.stderr
        self.recap = playbook.recap(done)
        return " ".join((done.stdout + done.stderr).split())

    def retire(self, *args: str, code: int = 0, **said: t.Any) -> str:
        """Retire the old issuer."""
        said |= {"keystead_issuer": self.new, "keystead_retired": self.old}
        said["keystead_ir_directory"] = str(self.root / "kept")
        return self.run(BOOK, *args, code=code, **said)

    def certificate(self, host: str) -> x509.Certificate:
        """Return the certificate in use."""
        path = self.root / host / "web" / "current" / "certificate.pem"
        return x509.load_pem_x509_certificate(path.read_bytes())

    def revoked(self) -> set[int]:
        """Return the serial numbers in the revocation list of the old issuer."""
        self.pki.call("GET", f"{self.pki.mount}/crl/rotate")
        pem = self.pki.call("GET", f"{self.pki.mount}/cert/crl")["data"]["certificate"]
        return {one.serial_number for one in x509.load_pem_x509_crl(pem.encode())}


@pytest.fixture
def move(tmp_path: Path, openbao: Server) -> Move:
    made = Move(tmp_path, openbao)
    made.run(PROVIDE, keystead_issuer=made.old)
    return made


def test_everything_moves_and_the_old_issuer_is_empty_by_its_own_list(move: Move) -> None:
    before = {host: move.certificate(host) for host in HOSTS}
    foreseen = move.retire("--check")
    assert "Replace on web1" in foreseen
    assert "cannot be seen to be empty - this is a check" in foreseen
    assert {host: move.certificate(host) for host in HOSTS} == before

    said = move.retire()
    assert "signs for nobody any more; it may be switched off. Its revocation lists are asked for until 20" in said
    for host in HOSTS:
        assert move.certificate(host).issuer != before[host].issuer
    assert move.revoked() >= {one.serial_number for one in before.values()}

    again = move.retire()
    assert "it may be switched off" in again
    assert all(host not in move.recap or move.recap[host]["changed"] == 0 for host in HOSTS)
    assert move.recap["localhost"]["changed"] == 0


def test_what_others_use_of_the_old_issuer_is_named_and_kept(move: Move) -> None:
    body = {"common_name": "printer.example.org", "ttl": "24h", "key_type": "ec"}
    other = move.pki.call("POST", f"{move.pki.mount}/issue/web", body)["data"]
    serial = str(other["serial_number"])
    said = move.retire(code=2)
    assert "signed what is still good" in said
    assert serial in said
    assert "which nobody here manages" in said
    assert int(serial.replace(":", ""), 16) not in move.revoked()
    assert "may be switched off" not in said


def test_a_host_that_still_declares_the_old_issuer_is_named(move: Move) -> None:
    (one,) = move.hosts["web2"]["keystead_identities"]
    one["issuer"] = move.old
    said = move.retire(code=2)
    assert "signed what is still good" in said
    assert ", web2;" in said
