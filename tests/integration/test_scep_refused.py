# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a SCEP server may have revoked is replaced, and what it has refused is not asked for by the same key again."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness.in_process import reason
from ansible_collections.keystead.identity.tests.harness.scep import Backend, Site
from ansible_collections.keystead.identity.tests.harness.scep_host import ASKS, Host, Task, before, client

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.one_core, pytest.mark.needs(*Backend.needs)]
DOUBT = "its issuer was asked to renew it, and may have revoked it"
TOLD = "web: scep was asked to renew what is in service, and may have revoked it; "


@pytest.fixture
def host(scep: Site, tmp_path: Path) -> t.Iterator[Host]:
    with before(scep, tmp_path) as found:
        yield found


def day(**said: t.Any) -> Task:
    """Return what the server signs for as long as is declared."""
    return client(**{"lifetime": "1d", **said})


def fails(host: Host, how: str) -> Task:
    """Have the server renew, and the answer come to nothing; return the result."""
    changed, said = day(key={"type": "rsa-3072"}), {}
    if how == "refused by V1":
        changed = day(lifetime="12h")
    elif how == "due at once":
        changed = day(key={"type": "rsa-3072"}, lifetime="2d", renew_before="25h")
    elif how == "rolled back":
        changed = day(key={"type": "rsa-3072"}, activate={"command": ["/bin/false"]})
    elif how == "lost":
        host.proxy.fail(faulty.lose, ASKS)
        said["timeout"] = "5s"
    result = host.world.converge([changed], issuer=host.issuer(**said))
    host.proxy.fail(host.operator, ASKS)
    assert result["failed"] is True
    return result


@pytest.mark.parametrize("how", ["refused by V1", "due at once", "rolled back", "lost"])
def test_what_the_server_revoked_when_it_renewed_in_vain_is_issued_again_whatever_is_declared(
    host: Host, how: str
) -> None:
    host.world.settled([day()], issuer=host.issuer())
    first = host.world.certificate()
    told = fails(host, how)
    assert host.world.certificate() == first
    assert host.is_revoked(first), "this server does so"
    assert [one for one in told["warnings"] if one.startswith(TOLD)], told["warnings"]
    done = host.world.settled([day()], issuer=host.issuer())
    assert reason(done["identities"][0]) == DOUBT
    assert not host.is_revoked(host.world.certificate())
    assert not [one for one in done.get("warnings", ()) if one.startswith(TOLD)]


def test_what_an_operator_may_still_sign_in_the_place_of_a_certificate_is_no_reason_to_trust_that(host: Host) -> None:
    host.world.settled([day()], issuer=host.issuer())
    host.operator.times = 1
    host.world.converge([day(key={"type": "rsa-3072"})], issuer=host.issuer())
    host.operator.times = 0
    done = host.world.settled([day()], issuer=host.issuer())
    assert reason(done["identities"][0]) == DOUBT


def test_why_a_change_is_made_is_said_before_the_doubt(host: Host) -> None:
    host.world.settled([day()], issuer=host.issuer())
    fails(host, "lost")
    done = host.world.settled([day(dns_names=["new.example.org"])], issuer=host.issuer())
    assert reason(done["identities"][0]).startswith("names differ: ")


@pytest.mark.parametrize("how", ["failInfo", "unreachable"])
def test_what_the_server_did_not_sign_revoked_nothing(host: Host, how: str) -> None:
    host.world.settled([day()], issuer=host.issuer())
    said = {"challenge": "open, barley"} if how == "failInfo" else {"url": "https://127.0.0.1:9/scep"}
    told = host.world.converge([day(key={"type": "rsa-3072"})], issuer=host.issuer(**said))
    assert told["failed"] is True
    assert not [one for one in told.get("warnings", ()) if one.startswith(TOLD)]
    done = host.world.converge([day()], issuer=host.issuer())
    assert [step["action"] for step in done["identities"][0]["steps"]] == ["destroy"], "what was staged"
    assert not host.is_revoked(host.world.certificate())


@pytest.mark.parametrize("how", ["failInfo", "V1"])
def test_a_final_refusal_ends_the_transaction_and_the_next_run_has_a_key_of_its_own(host: Host, how: str) -> None:
    said = {"challenge": "open, barley"} if how == "failInfo" else {}
    for lifetime in ("1d", "1d") if how == "failInfo" else ("12h", "11h"):
        asked = client(lifetime=lifetime)
        assert host.world.converge([asked], issuer=host.issuer(**said))["failed"] is True
    assert list(host.operator.asked.values()) == [1, 1]
    host.world.settled([day()], issuer=host.issuer())
    assert list(host.operator.asked.values()) == [1, 1, 1]


def test_another_request_is_another_transaction_and_what_waits_becomes_an_orphan(host: Host) -> None:
    host.operator.times = 1
    host.world.converge([day()], issuer=host.issuer())
    host.operator.times = 0
    done = host.world.settled([day(dns_names=["other.example.org"])], issuer=host.issuer())
    assert list(host.operator.asked.values()) == [1, 1]
    (told,) = [one for one in done["warnings"] if "orphan" in one]
    assert told.startswith("web: another request takes the place of that for web.example.org")
    assert host.world.query("SELECT number, state FROM generations ORDER BY id") == [(1, "orphaned"), (1, "current")]


def test_a_lost_answer_to_another_request_is_recorded_and_its_key_is_not_used_again(host: Host) -> None:
    host.proxy.fail(faulty.lose, ASKS)
    host.world.converge([day()], issuer=host.issuer(timeout="5s"))
    ((lost,),) = host.world.query("SELECT public_id FROM generations")
    host.proxy.fail(host.operator, ASKS)
    done = host.world.settled([day(dns_names=["other.example.org"])], issuer=host.issuer())
    assert [one for one in done["warnings"] if "orphan" in one]
    said = [said for (said,) in host.world.query("SELECT message FROM events WHERE outcome = 'orphaned'")]
    assert [one for one in said if lost in one and "web.example.org" in one], said
    assert lost not in [key for (key,) in host.world.query("SELECT public_id FROM generations WHERE state = 'current'")]


@pytest.mark.parametrize("how", ["waits", "lost", "unreachable"])
def test_a_retry_of_the_same_request_uses_the_same_key(host: Host, how: str) -> None:
    """Lifetime and profile are in no request, so a request for another life is the same one."""
    said: Task = {}
    if how == "waits":
        host.operator.times = 1
    elif how == "lost":
        host.proxy.fail(faulty.lose, ASKS)
        said = {"timeout": "5s"}
    else:
        said = {"url": "https://127.0.0.1:9/scep"}
    assert host.world.converge([day()], issuer=host.issuer(**said))["failed"] is True
    before_ = host.world.path("web", "next", "private_key.pem").read_bytes()
    host.proxy.fail(host.operator, ASKS)
    host.world.settled([day(lifetime="2d")], issuer=host.issuer())
    assert host.world.path("web", "current", "private_key.pem").read_bytes() == before_


def test_a_key_that_was_staged_by_a_run_that_came_no_further_is_used(host: Host) -> None:
    """The refused key is known by its id: what waits may be the next one already."""
    assert host.world.converge([day(lifetime="12h")], issuer=host.issuer())["failed"] is True
    refused = host.world.path("web", "next", "private_key.pem").read_bytes()

    def cut_off(arguments: Task) -> Task:
        host.world.execute(arguments)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        host.world.converge([day()], issuer=host.issuer(), execute=cut_off)
    staged = host.world.path("web", "next", "private_key.pem").read_bytes()
    assert staged != refused
    host.world.settled([day()], issuer=host.issuer())
    assert host.world.path("web", "current", "private_key.pem").read_bytes() == staged
