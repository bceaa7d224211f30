# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a host and the ledger have while the server of an issuer fails: the last complete pair, and the whole story."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import (
    Good,
    Lister,
    Revoked,
    Revoker,
    Unknown,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.facts import FACTS
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from ansible_collections.keystead.identity.tests.harness.front import Front

Task = dict[str, t.Any]
FAULTS: dict[str, faulty.Fault] = {
    "hangs": faulty.hang,
    "resets": faulty.reset,
    "cuts": faulty.cut,
    "garbage": faulty.garbage,
    "forbids": faulty.says(403),
    "fails": faulty.says(500),
    "is sealed": faulty.says(503, {"errors": ["Vault is sealed"]}),
    "redirects": faulty.redirect,
    "is busy": faulty.says(429, Retry_After="70"),
}


@pytest.fixture
def world(front: Front, tmp_path: Path) -> World:
    return World(tmp_path / "world", policy=getattr(front.backend, "policy", None))


def plain(front: Front, **said: t.Any) -> Task:
    """Return the declaration of an identity that the issuer's backend would sign."""
    return web(**{"profile": front.backend.profile, "key": {"type": front.made.key_type}, **said})


def pair(world: World) -> dict[str, bytes]:
    """Return what a consumer reads."""
    return {path.name: path.read_bytes() for path in sorted(world.path("web", "current").iterdir())}


def linked(front: Front, world: World, *names: str) -> Task:
    """Return an identity with links."""
    links = {str(world.links / "web.pem"): "fullchain", str(world.links / "web.key"): "private_key"}
    return plain(front, dns_names=list(names or ("web.example.org",)), links=links)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_renewal_that_fails_leaves_the_pair_as_it_is_byte_for_byte(front: Front, world: World, fault: str) -> None:
    world.settled([linked(front, world)], issuer=front.options())
    before = pair(world)
    front.proxy.fail(FAULTS[fault])
    result = world.converge([linked(front, world, "new.example.org")], issuer=front.options())
    assert result["failed"] is True
    (record,) = result["identities"]
    assert record["msg"].startswith(f"{front.made.name}: ")
    assert record["msg"] in result["msg"]
    assert pair(world) == before
    assert (world.links / "web.key").read_bytes() == before["private_key.pem"]
    front.proxy.heal()
    world.settled([linked(front, world, "new.example.org")], issuer=front.options())
    assert pair(world)["private_key.pem"] != before["private_key.pem"]


def test_an_answer_that_got_lost_is_found_by_the_next_run(front: Front, world: World) -> None:
    facts = FACTS[front.made.name]
    if not (isinstance(front.issuer(), Lister) or facts.same_again or facts.answers_later):
        return  # the next test is about those that cannot say what they signed
    begun = make.now()
    front.proxy.fail(faulty.lose, front.backend.signs)
    assert world.converge([plain(front)], issuer=front.options())["failed"] is True
    assert world.query("SELECT number, state FROM generations") == [(1, "intended")]
    front.proxy.heal()
    world.settled([plain(front)], issuer=front.options())
    assert world.query("SELECT number, state FROM generations") == [(1, "current")]
    if FACTS[front.made.name].same_again:
        assert front.backend.signed() == [f"{world.certificate().serial_number:x}"]
        return
    if FACTS[front.made.name].answers_later:
        assert sum(front.backend.signs in one for one in front.proxy.seen) == 1
        return
    (record,) = front.issuer().issued(begun)
    assert record.serial_number == world.certificate().serial_number


def test_an_answer_that_a_forgetful_server_lost_is_recorded_as_an_orphan(front: Front, world: World) -> None:
    """Whether it was signed nobody can tell: who may have, for which key and names, and when, is in the record."""
    if not FACTS[front.made.name].may_forget:
        with pytest.raises(AssertionError):
            front.backend.forgetful()
        return
    forgetful = {front.made.name: {**front.backend.forgetful(), **front.reached()}}
    front.proxy.fail(faulty.lose, front.backend.signs)
    failed = world.converge([plain(front)], issuer=forgetful)
    assert failed["failed"] is True
    front.proxy.heal()
    if FACTS[front.made.name].same_again:  # for some minutes; after them, it is as with any other
        with contextlib.closing(sqlite3.connect(world.ledger)) as ledger, ledger:
            ledger.execute("UPDATE generations SET intended_at = ?", (stamp(make.now() - dt.timedelta(minutes=5)),))
    warned = world.converge([plain(front)], issuer=forgetful)["warnings"]
    words = f"web: an earlier answer of {front.made.name}:.* got lost; what it may have signed is recorded as an orphan"
    assert [one for one in warned if re.fullmatch(words, one)], warned
    world.settled([plain(front)], issuer=forgetful)
    events = "SELECT generation, outcome, message FROM events WHERE action = 'issue' ORDER BY seq"
    first, lost, last = world.query(events)
    assert (first, last) == ((1, "failed", failed["identities"][0]["msg"]), (1, "ok", ""))
    ((key,),) = world.query("SELECT DISTINCT public_id FROM generations")
    assert lost[:2] == (1, "orphaned")
    assert f" may have signed key {key} for web.example.org between " in lost[2]
    states = world.query("SELECT number, state, public_id, issuer_id <> '' FROM generations ORDER BY id")
    assert states == [(1, "orphaned", key, 1), (1, "current", key, 1)]


def test_a_server_that_could_not_be_asked_leaves_no_orphan(front: Front, world: World) -> None:
    for _ in range(2):
        nowhere = {front.made.name: front.backend.unreachable()}
        assert world.converge([plain(front)], issuer=nowhere)["failed"] is True
    forgets = FACTS[front.made.name].may_forget
    options = front.backend.forgetful() if forgets else front.backend.options()
    world.settled([plain(front)], issuer={front.made.name: {**options, **front.reached()}})
    assert world.query("SELECT number, state FROM generations ORDER BY id") == [
        (1, "refused"), (1, "refused"), (1, "current"),
    ]  # fmt: skip


def test_a_run_that_has_nothing_to_issue_asks_nobody(front: Front, world: World) -> None:
    world.settled([linked(front, world)], issuer=front.options())
    front.proxy.fail(faulty.reset)
    asked = list(front.proxy.seen)
    for check in (False, True):
        assert world.converge([linked(front, world)], issuer=front.options(), check=check)["changed"] is False
    assert front.proxy.seen == asked


def test_check_mode_says_that_the_run_would_fail_and_touches_nothing(front: Front, world: World) -> None:
    world.settled([linked(front, world)], issuer=front.options())
    front.proxy.fail(faulty.reset)
    before = world.snapshot()
    foreseen = world.converge([linked(front, world, "new.example.org")], issuer=front.options(), check=True)
    if FACTS[front.made.name].names_roots:
        assert foreseen["failed"] is True
        assert foreseen["msg"].startswith(f"web: {front.made.name}: ")
    else:  # there is nothing that it could be asked before
        assert not foreseen.get("failed")
    assert world.snapshot() == before


def test_a_revocation_that_fails_is_made_up_for_by_the_next_run(front: Front, world: World) -> None:
    if not isinstance(front.issuer(), Revoker):
        return  # its facts say so: test_a_power_is_there_as_the_facts_say
    world.settled([plain(front)], issuer=front.options())
    certificate = world.certificate().public_bytes(Encoding.DER)
    gone = plain(front, state="absent", revoke_on_absent=True)
    front.proxy.fail(faulty.reset, front.backend.revokes)
    result = world.converge([gone], issuer=front.options())
    assert result["failed"] is True
    assert result["msg"].startswith(f"web: {front.made.name}: ")
    told = FACTS[front.made.name].tells_status
    assert isinstance(front.issuer().status(certificate), Good if told else Unknown)
    front.proxy.heal()
    world.settled([gone], issuer=front.options())
    if FACTS[front.made.name].tells_status_later:
        front.backend.publish()
    assert isinstance(front.issuer().status(certificate), Revoked if told else Unknown)
    assert not world.path("web", "current").exists()


def test_one_host_with_two_issuers_gets_what_the_healthy_one_gives(front: Front, world: World) -> None:
    front.proxy.fail(faulty.reset)
    sick, well = plain(front, name="sick", issuer=front.options()), web(name="well")
    result = world.converge([sick, well])
    assert [one["failed"] for one in result["identities"]] == [True, False]
    assert world.current("well") == 1


def test_a_playbook_ends_with_the_sentence_and_without_a_credential(front: Front, tmp_path: Path) -> None:
    def run(*names: str) -> CompletedProcess[str]:
        said = {
            "issuer": front.options(),
            "ledger": f"sqlite:////{str(tmp_path / 'ledger.sqlite').lstrip('/')}",
            "store": str(tmp_path / "store"),
            "identities": [plain(front, dns_names=list(names))],
            "policy": getattr(front.backend, "policy", None),
        }
        tasks = [{"keystead.identity.machine_identity": said}]
        aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        return playbook.run(tasks, playbook.ONE_HOST, "-vvv", "--diff", home=tmp_path / "home", env=aws)

    assert playbook.recap(run("web.example.org"))["web1"]["changed"] == 1
    current = tmp_path / "store" / "web" / "current"
    before = {path.name: path.read_bytes() for path in current.iterdir()}
    for fault in (faulty.hang, faulty.says(403)):
        front.proxy.fail(fault)
        done = run("new.example.org")
        assert playbook.recap(done)["web1"]["failed"] == 1
        (result,) = playbook.results(tmp_path / "home")
        assert result["msg"].startswith(f"web: {front.made.name}: ")
        output = done.stdout + done.stderr
        assert "Traceback" not in output
        assert not [secret for secret in front.backend.secrets if secret in output]
        assert {path.name: path.read_bytes() for path in current.iterdir()} == before
    front.proxy.heal()
    assert playbook.recap(run("new.example.org"))["web1"]["changed"] == 1
