# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Who signs, and which roots an answer must chain to."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._signers import Signers
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.local import authority
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def root(world: World) -> Path:
    return world.authorities / "issuing" / "certificate.pem"


def fingerprint(world: World) -> str:
    return x509.load_pem_x509_certificate(root(world).read_bytes()).fingerprint(SHA256()).hex()


def pins(world: World) -> list[str]:
    return [row[0] for row in world.query("SELECT fingerprint FROM pins")]


def replace_authority(world: World) -> None:
    (world.authorities / "issuing").rename(world.directory / f"old-{fingerprint(world)[:8]}")
    authority(world.authorities, "issuing")


def test_the_first_root_is_pinned(world: World) -> None:
    world.converge([web()])
    assert pins(world) == [fingerprint(world)]


def test_check_mode_pins_nothing(world: World) -> None:
    world.converge([web()], check=True)
    assert not world.ledger.exists()


def test_a_root_that_changed_is_refused_until_it_is_accepted(world: World) -> None:
    world.converge([web()])
    old = fingerprint(world)
    replace_authority(world)
    result = world.converge([web()])
    assert f"its root changed from {old} to {fingerprint(world)}" in result["msg"]
    assert pins(world) == [old]
    wrong = world.converge([web()], issuer=world.issuer(accept_new_root="ab" * 32))
    assert wrong["failed"]
    accepted = world.issuer(accept_new_root=":".join(fingerprint(world)[i : i + 2] for i in range(0, 64, 2)).upper())
    world.settled([web()], issuer=accepted)
    assert pins(world) == [fingerprint(world)]
    world.settled([web(dns_names=["new.example.org"])])


def test_declared_roots_are_what_counts_and_nothing_is_pinned(world: World) -> None:
    world.settled([web()], issuer=world.issuer(roots=[str(root(world))]))
    assert pins(world) == []
    world.settled([web(name="other")], issuer=world.issuer(roots=[root(world).read_text()]))


def test_an_answer_of_another_root_than_the_declared_one_is_not_installed(world: World) -> None:
    old = root(world).read_text()
    replace_authority(world)
    result = world.converge([web()], issuer=world.issuer(roots=[old]))
    assert "its answer for web is refused" in result["msg"]
    assert world.generations() == []


@pytest.mark.parametrize("said", ["/nowhere/root.pem", "-----BEGIN CERTIFICATE-----\njunk", "/etc/hostname"])
def test_roots_that_cannot_be_read_are_named_before_the_host_is_asked(world: World, said: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"^local: issuer\.local\.roots: .* cannot be read.*; write PEM or its"
    ):
        world.converge([web()], issuer=world.issuer(roots=[said]))
    assert world.phases == []


def test_equal_options_make_one_issuer(world: World) -> None:
    signers = Signers([])
    backend = {"local": {**world.issuer()["local"], "passphrase": None, "passphrase_file": None}}
    assert signers.of(backend) is signers.of(dict(backend))


def test_who_signed_is_found_by_id_or_the_id_is_named(world: World) -> None:
    further = {"local": {**world.issuer()["local"], "passphrase": None, "passphrase_file": None}}
    signers = Signers([further])
    assert signers.by_id(signers.of(further).id).id.startswith("local:issuing:")
    with pytest.raises(Misconfigured, match="none of them is openbao:x"):
        signers.by_id("openbao:x")
