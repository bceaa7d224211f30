# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A rotation of many meets an authority that goes away in the middle, and a consumer that does not come back."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.in_process import World, from_now_on
from ansible_collections.keystead.identity.tests.harness.sweep import directory
from ansible_collections.keystead.identity.tests.integration.survival.mass import COUNT, Mass

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = pytest.mark.one_core
MANY, BEFORE = 60, 25


@pytest.mark.needs("openbao")
def test_an_authority_that_goes_away_in_the_middle_leaves_the_rest_as_it_was_and_is_asked_for_no_more_than_that(
    openbao: Server, tmp_path: Path
) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    names = [f"n{number}" for number in range(MANY)]
    declared = [{"name": name, "dns_names": [f"{name}.example.org"]} for name in names]
    with faulty.before(openbao.url, openbao.ca_bundle, openbao.authority) as proxy:
        issuer = {"openbao": {**pki.options(make.approle(pki)), "url": proxy.url, "timeout": "5s"}}
        assert not world.converge(declared, issuer=issuer).get("failed")
        old, moment = {name: world.certificate(name) for name in names}, from_now_on()
        proxy.fail(faulty.after(BEFORE, faulty.reset), f"/v1/{pki.mount}/sign/")
        done = world.converge(declared, issuer=issuer, made_before=moment)
        assert done["failed"]
        kept = [one["name"] for one in done["identities"] if one["failed"]]
        assert len(kept) == MANY - BEFORE
        assert all(one["msg"].startswith("openbao: ") for one in done["identities"] if one["failed"])
        for name in names:
            assert (world.certificate(name) == old[name]) is (name in kept)
        proxy.heal()
        again = world.converge(declared, issuer=issuer, made_before=moment)
        assert [one["name"] for one in again["identities"] if one["changed"]] == kept
        assert not world.converge(declared, issuer=issuer, made_before=moment)["changed"]
    assert len(pki.call("LIST", f"{pki.mount}/certs")["data"]["keys"]) == 2 * MANY


@pytest.mark.needs("root")
def test_a_consumer_that_does_not_come_back_gets_all_its_old_pairs_and_nothing_of_them_is_revoked() -> None:
    with directory() as base, ForkServer() as server:
        mass = Mass(base, server)
        before = {path.name: path.read_bytes() for path in mass.served.iterdir()}
        loads = mass.served / "web150"
        loads.unlink()
        (loads / "in the way").mkdir(parents=True)  # it stops at this one, with some loaded
        done = mass.rotate().value
        assert done["failed"]
        assert len([one for one in done["identities"] if one["failed"]]) == COUNT
        assert {mass.world.current(one["name"]) for one in mass.identities()} == {1}
        assert "still delivered" in mass.revoke().value["msg"]
        assert not mass.revoked()
        (loads / "in the way").rmdir()
        loads.rmdir()
        healed = mass.rotate().value
        assert not healed.get("failed"), healed.get("msg")
        assert not list(mass.unsafe())
        assert not mass.rotate().value["changed"]
        assert all((mass.served / name).read_bytes() != content for name, content in before.items())
        assert mass.revoke().value["matched"] == len(mass.revoked()) == COUNT
        assert not list(mass.unsafe())
