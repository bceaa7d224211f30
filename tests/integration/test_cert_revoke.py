# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""cert_revoke over a real authority and a real ledger: what is in use stays, what is not is revoked once, and recorded."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office

GONE = {"links": {}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world.url, world.issuer())


def linked(world: World, **said: t.Any) -> dict[str, t.Any]:
    """Return the declaration of an identity with a link."""
    return web(links={str(world.links / "web.pem"): "fullchain"}, **said)


def test_a_certificate_that_was_replaced_is_revoked_and_told_once(world: World, office: Office) -> None:
    world.one(linked(world))
    old = world.certificate()
    world.one(linked(world, lifetime="20d"))
    done = office.settled({"identity": "web", "fingerprint_sha256": fingerprint(old)}, reason="superseded")
    (record,) = done["certificates"]
    assert (record["status"], record["reason"], record["changed"]) == ("revoked", "superseded", True)
    assert (record["host"], record["identity"], record["generation"]) == (HOST, "web", 1)
    assert world.is_revoked(old)
    assert not world.is_revoked(world.certificate())


def fingerprint(certificate: t.Any) -> str:
    from cryptography.hazmat.primitives import hashes

    return str(certificate.fingerprint(hashes.SHA256()).hex())


def test_the_next_run_replaces_a_certificate_that_was_revoked(world: World, office: Office) -> None:
    world.one(linked(world))
    before = world.certificate()
    office.settled({"identity": "web", "host": HOST}, reason="key_compromise", replaced_first=False)
    again = world.one(linked(world))
    assert "issue" in steps(again)
    assert "revoked" in reason(again)
    assert world.certificate().serial_number != before.serial_number


def test_what_is_delivered_and_not_replaced_stays_and_the_places_are_named(world: World, office: Office) -> None:
    world.one(linked(world))
    said = office.refusal({"identity": "web"})
    assert f"{world.links / 'web.pem'} on {HOST}" in said
    assert not world.is_revoked(world.certificate())
