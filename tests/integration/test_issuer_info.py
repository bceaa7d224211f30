# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""issuer_info: what issuers list as signed and still good, beside what the ledger knows of it."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Revoker
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.issuer_info import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._issuer_info.answer import answer
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import local, local_ssh, openbao_ssh
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.issuers import der, settled

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

Result = dict[str, t.Any]
COUNTS = ("listed", "signed", "ended", "revoked", "good", "unmanaged", "empty")
OURS = {"contact": "shop@example.org"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def other(world: World, name: str = "other") -> dict[str, t.Any]:
    """Make one more authority; return the option `issuer` for it."""
    local.authority(world.directory / "more", name)
    return {"local": {"directory": str(world.directory / "more"), "authority": name}}


def asked(world: World, days: float = 0, **said: t.Any) -> Result:
    """Ask, so many days from now."""
    args = validated({"ledger": world.url, **said}, spec(COMMON, OPTIONS), module="issuer_info")
    return answer(args, datetime.now(UTC) + timedelta(days=days))


def counts(found: Result, place: int = 0) -> dict[str, t.Any]:
    """Return what an issuer has, by number."""
    return {name: found["issuers"][place][name] for name in COUNTS}


def check_whole_life(world: World, issuer: dict[str, t.Any]) -> None:
    """Issue one by a task and one past the ledger, revoke both, and look after each step."""
    ((name, options),) = issuer.items()
    by_hand = ISSUERS[name]({**options, "timeout": 30})
    world.settled([web(name="first")])
    before = asked(world, issuer=issuer)
    mine = world.converge([web(**OURS)], issuer=issuer)["identities"][0]["certificate"]
    (stranger,) = settled(by_hand, local.request())

    found = asked(world, issuer=issuer)
    assert found["issuers"][0]["good"] == before["issuers"][0]["good"] + 2
    assert found["issuers"][0]["unmanaged"] == before["issuers"][0]["unmanaged"] + 1
    assert found["issuers"][0]["empty"] is False
    by = {one["fingerprint_sha256"]: one for one in found["certificates"]}
    ours = by[mine["fingerprint_sha256"]]
    place = {"host": world.host, "identity": "web", "state": "current", "in_use": True, **OURS}
    assert (ours["managed"], ours["places"]) == (True, [place])
    assert ours["serial_number"] == mine["serial_number"]
    assert ours["not_after"] == mine["not_after"]
    theirs = by[stranger.credential_id]
    assert (theirs["managed"], theirs["places"], theirs["authority"]) == (False, [], False)
    assert theirs["dns_names"] == list(local.WEB.dns_names)

    assert isinstance(by_hand, Revoker)
    by_hand.revoke([der(stranger)], "superseded")
    found = asked(world, issuer=issuer)
    assert stranger.credential_id not in {one["fingerprint_sha256"] for one in found["certificates"]}
    assert found["issuers"][0]["revoked"] == before["issuers"][0]["revoked"] + 1
    later = asked(world, days=400, issuer=issuer)
    assert later["issuers"][0]["ended"] >= 1
    assert mine["fingerprint_sha256"] not in {one["fingerprint_sha256"] for one in later["certificates"]}


def test_a_local_authority_lists_what_it_signed(world: World) -> None:
    issuer = other(world)
    check_whole_life(world, issuer)
    found = asked(world, days=400, issuer=issuer)
    assert counts(found) == {
        "listed": True, "signed": 2, "ended": 2, "revoked": 0, "good": 0, "unmanaged": 0, "empty": True,
    }  # fmt: skip
    assert found["issuers"][0]["last_end"] == max(
        one["not_after"] for one in asked(world, issuer=issuer)["certificates"]
    )


@pytest.mark.needs("openbao")
def test_an_openbao_lists_what_its_mount_signed(world: World, openbao: Server) -> None:
    check_whole_life(world, {"openbao": make.pki(openbao).options()})


def test_an_authority_of_ssh_lists_its_host_certificates(world: World) -> None:
    issuer = local_ssh.issuer(world.directory / "ssh")
    (generation,) = settled(issuer, local_ssh.request())
    world.settled([web()])
    found = asked(world, issuer={"local_ssh": {"directory": str(world.directory / "ssh"), "authority": "ssh"}})
    (one,) = found["certificates"]
    assert (one["fingerprint_sha256"], one["managed"], one["status"]) == (generation.credential_id, False, "good")
    assert counts(found)["unmanaged"] == 1


@pytest.mark.needs("openbao")
def test_who_fails_is_a_failure_beside_what_the_others_listed(world: World, openbao: Server) -> None:
    world.settled([web()])
    pki = make.pki(openbao)
    blind = {"openbao": pki.options(auth={"token": {"token": make.token(pki, "default")}})}
    found = asked(world, issuer=world.issuer(), issuers=[blind])
    assert found["failed"] is True
    assert (found["issuers"][0]["listed"], found["issuers"][1]["listed"]) == (True, False)
    assert found["issuers"][1]["empty"] is None
    assert found["issuers"][1]["why"] in found["msg"]


@pytest.mark.needs("openbao")
def test_who_cannot_list_is_said_to_be_unknown_and_that_is_no_failure(
    world: World, openbao: Server, tmp_path: Path
) -> None:
    world.settled([web()])
    found = asked(world, issuer={"openbao_ssh": openbao_ssh.Backend(tmp_path, openbao).options()})
    assert "failed" not in found
    assert (found["issuers"][0]["empty"], found["issuers"][0]["why"]) == (None, "it cannot list what it has signed")


def test_nothing_is_asked_without_an_issuer_or_a_ledger(world: World) -> None:
    with pytest.raises(Misconfigured, match="no issuer is named; set option issuer"):
        asked(world)
    with pytest.raises(Misconfigured, match="there is no ledger at"):
        asked(world, issuer=other(world))


def test_only_what_was_issued_later_says_nothing_of_whether_it_is_empty(world: World) -> None:
    world.settled([web()])
    found = asked(world, issuer=world.issuer(), issued_after="2099-01-01T00:00:00Z")
    assert counts(found) == {
        "listed": True, "signed": 0, "ended": 0, "revoked": 0, "good": 0, "unmanaged": 0, "empty": None,
    }  # fmt: skip
    with pytest.raises(Misconfigured, match="option issued_after"):
        asked(world, issuer=world.issuer(), issued_after="yesterday")
