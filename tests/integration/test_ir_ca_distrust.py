# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The playbook ir_ca_distrust: an authority is exchanged under hosts that verify each other."""

from __future__ import annotations

import itertools
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness.incident_lab import Lab
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

pytestmark = [pytest.mark.needs("openssl"), pytest.mark.one_core]

BOOK = Path("keystead.identity.ir_ca_distrust")
HOSTS = ("web1", "web2", "web3")


class Shop(Lab):
    """Hosts that verify each other by a bundle of anchors, and the authority that is to follow."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, HOSTS)
        self.old, self.common["keystead_issuers"] = self.common["keystead_issuer"], []
        self.new = {"local": local.two_tiers(root / "ca2")}
        self.trust("ca")
        self.provide()

    def trust(self, *authorities: str) -> None:
        """Declare the anchors of every host."""
        anchors = [str(self.root / one / "root/certificate.pem") for one in authorities]
        for name, host in self.hosts.items():
            host["keystead_trust_bundles"] = [{"name": "shop", "path": str(self.bundle(name)), "anchors": anchors}]

    def provide(self) -> None:
        """Give the hosts what they declare: identities and anchors."""
        roles = ["keystead.identity.identity", "keystead.identity.trust"]
        self.run([{"hosts": "all", "gather_facts": False, "roles": roles}])

    def bundle(self, host: str) -> Path:
        """Return where the anchors of a host are."""
        return self.root / f"{host}-peers.pem"

    def anchors(self, host: str) -> list[x509.Certificate]:
        """Return whom a host trusts."""
        return x509.load_pem_x509_certificates(self.bundle(host).read_bytes())

    def accepts(self, host: str, shown: list[x509.Certificate]) -> bool:
        """Tell whether a host takes what another one shows."""
        policy = PolicyBuilder().store(Store(self.anchors(host)))
        verifier = policy.build_server_verifier(x509.DNSName("web.example.org"))
        try:
            verifier.verify(shown[0], shown[1:])
        except VerificationError:
            return False
        return True

    def shown(self, host: str) -> list[x509.Certificate]:
        """Return what a host shows now."""
        path = self.root / host / "web" / "current" / "fullchain.pem"
        return x509.load_pem_x509_certificates(path.read_bytes())

    def distrust(self, *args: str, code: int = 0, **said: t.Any) -> str:
        """Answer the incident, with the new authority declared."""
        self.common |= {"keystead_issuer": self.new, "keystead_issuers": [self.old]}
        self.trust("ca2")
        said |= {
            "keystead_ir_authorities": [str(self.root / "ca/root/certificate.pem")],
            "keystead_ir_directory": str(self.kept),
        }
        return self.run(BOOK, *args, code=code, **said)


class Watch(threading.Thread):
    """Looks all the time whether every host takes what every other one shows."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(daemon=True)
        self.shop, self.over, self.looks = shop, threading.Event(), 0
        self.refused: list[tuple[str, str]] = []

    def run(self) -> None:
        while not self.over.is_set():
            for host, peer in itertools.permutations(HOSTS, 2):
                self.looks += 1
                if not self.shop.accepts(host, self.shop.shown(peer)):
                    self.refused.append((host, peer))
            self.over.wait(0.005)

    def __enter__(self) -> t.Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_an_authority_is_exchanged_and_nobody_is_turned_away_meanwhile(shop: Shop) -> None:
    before = {host: shop.shown(host) for host in HOSTS}
    foreseen = shop.distrust("--check")
    assert "Replace on web1" in foreseen
    assert {host: shop.shown(host) for host in HOSTS} == before
    with Watch(shop) as watch:
        shop.distrust()
    assert watch.refused == []
    assert watch.looks > 100
    new_root = x509.load_pem_x509_certificate((shop.root / "ca2/root/certificate.pem").read_bytes())
    for host in HOSTS:
        assert shop.anchors(host) == [new_root]
        assert not any(shop.accepts(other, before[host]) for other in HOSTS)
    for number, chain in enumerate(before.values()):
        path = shop.root / f"old{number}.pem"
        path.write_bytes(chain[0].public_bytes(Encoding.PEM))
        assert "certificate revoked" in shop.verdict(path)

    said = shop.distrust()
    assert {name: recap["changed"] for name, recap in shop.recap.items()} == dict.fromkeys(shop.recap, 0), said


def test_a_host_that_does_not_get_the_new_anchor_stops_everything_before_anybody_shows_a_new_certificate(
    shop: Shop,
) -> None:
    before = {host: shop.shown(host) for host in HOSTS}
    blocked = shop.bundle("web3")
    blocked.unlink()
    blocked.mkdir()
    said = shop.distrust(code=2)
    assert "web3" in said
    assert {host: shop.shown(host) for host in HOSTS} == before
    blocked.rmdir()
    shop.distrust()
    assert not any(shop.shown(host)[1] == before[host][1] for host in HOSTS)
