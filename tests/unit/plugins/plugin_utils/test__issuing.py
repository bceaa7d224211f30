# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Asking the issuer: lost answers, capped lives, keys that are used twice, refusals, and two controllers at once."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import from_pem, spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Identity, Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._accepting import asked, gives_again
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import OpenIntent
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._work import Work
from ansible_collections.keystead.identity.tests.harness.in_process import World, steps, web
from ansible_collections.keystead.identity.tests.harness.local import authority
from cryptography.hazmat.primitives.serialization import Encoding

Answer = dict[str, t.Any]
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class Lost(RuntimeError):
    """The connection broke."""


def lost_at_install(world: World, *, after: bool = False) -> t.Callable[[dict[str, t.Any]], Answer]:
    def execute(arguments: dict[str, t.Any]) -> Answer:
        if arguments["phase"] == "install" and not after:
            raise Lost
        answer = world.execute(arguments)
        if arguments["phase"] == "install":
            raise Lost
        return answer

    return execute


def test_an_answer_that_never_reached_the_host_is_found_and_not_issued_again(world: World) -> None:
    with pytest.raises(Lost):
        world.converge([web()], execute=lost_at_install(world))
    (signed,) = world.issued()
    done = world.settled([web()])["identities"][0]
    assert done["failed"] is False
    assert world.issued() == [signed]
    assert (world.certificate(), world.current()) == (signed, 1)
    assert world.query("SELECT number, state FROM generations") == [(1, "current")]
    assert world.remembered().open_intent is None


def test_an_answer_that_never_reached_the_ledger_is_found_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansible_collections.keystead.identity.plugins.plugin_utils import _issuing

    def killed(*_: object) -> None:
        raise Lost

    with monkeypatch.context() as killing:
        killing.setattr(_issuing, "_outcome", killed)
        with pytest.raises(Lost):
            world.converge([web()])
    (signed,) = world.issued()
    assert world.query("SELECT state FROM generations") == [("intended",)]
    world.settled([web()])
    assert (world.issued(), world.certificate(), world.current()) == ([signed], signed, 1)


def test_a_lost_answer_for_other_names_is_not_used(world: World) -> None:
    with pytest.raises(Lost):
        world.converge([web(dns_names=["old.example.org"])], execute=lost_at_install(world))
    world.settled([web()])
    assert len(world.issued()) == 2


def opened(world: World, issuer_id: str, asked_for: str | None = None) -> None:
    """Leave an intent for the key that waits on the host, as of a run that was killed while it asked somebody."""
    with pytest.raises(Lost):
        world.converge([web()], execute=lost_at_install(world))
    with contextlib.closing(sqlite3.connect(world.ledger)) as connection, connection:
        connection.execute(
            "UPDATE generations SET state = 'intended', issuer_id = ?, asked = coalesce(?, asked)",
            (issuer_id, asked_for),
        )
        connection.execute("DELETE FROM x509")
        connection.execute("UPDATE identities SET newest = 0")
    for path in (world.authorities / "issuing/issued").iterdir():
        path.unlink()


@pytest.mark.parametrize("former", ["est:https://x/y", "aws_pca:arn:x", "openbao:https://x/v1/pki", "local:/x"])
def test_what_got_lost_is_an_orphan_of_who_was_asked_when_another_is_asked_by_now(world: World, former: str) -> None:
    """Another issuer gives no answer again, and cannot say what the first one signed."""
    opened(world, former)
    done = world.settled([web()])
    assert f"web: an earlier answer of {former} got lost; what it may have signed" in done["warnings"][0]
    assert world.query("SELECT issuer_id, state FROM generations ORDER BY id")[0] == (former, "orphaned")
    ((message,),) = world.query("SELECT message FROM events WHERE outcome = 'orphaned'")
    assert message.startswith(f"{former} may have signed key ")
    assert " for web.example.org between " in message


def test_an_orphan_is_told_with_the_names_that_were_asked_for(world: World) -> None:
    opened(world, "est:https://est.example.org/x")
    world.one(web(dns_names=["new.example.org"]))
    ((message,),) = world.query("SELECT message FROM events WHERE outcome = 'orphaned'")
    assert " for web.example.org between " in message


def test_an_issuer_gives_the_same_again_soon_and_for_the_same_alone(world: World) -> None:
    record = world.converge([web()], execute=None)["identities"][0]
    assert not record["failed"]
    (asked_for,) = {row[0] for row in world.query("SELECT asked FROM generations")}
    said = json.loads(asked_for)
    assert len(said.pop("question")) == 64
    assert said == {
        "common_name": None, "lifetime": 30 * 86400, "names": ["web.example.org"], "profile": "tls_server",
    }  # fmt: skip
    identity = Identity("web", subject=Subject(dns_names=("web.example.org",)))
    work, now = Work.__new__(Work), NOW
    work.identity = identity
    since = OpenIntent(1, "k", "aws_pca:arn:x", "ecdsa-p256", None, now - timedelta(minutes=2), asked=asked(identity))
    assert gives_again(since, work, now)
    assert gives_again(since._replace(asked=asked_for), work, now), "of what else is in the question it never hears"
    assert not gives_again(since._replace(since=now - timedelta(minutes=5)), work, now)
    assert not gives_again(since._replace(asked=asked(identity._replace(lifetime=60))), work, now)
    assert not gives_again(since._replace(issuer_id="openbao:x"), work, now)


def test_a_host_whose_answer_got_lost_after_it_installed_has_nothing_left_to_do(world: World) -> None:
    with pytest.raises(Lost):
        world.converge([web()], execute=lost_at_install(world, after=True))
    assert world.settled([web()])["changed"] is False
    assert len(world.issued()) == 1


def test_a_life_that_the_authority_caps_below_renew_before_never_reaches_the_host(tmp_path: Path) -> None:
    world = World(tmp_path)
    authority(world.authorities, "short", lifetime="2d")
    result = world.converge([web(lifetime="30d", renew_before="10d")], issuer=world.issuer("short"))
    assert "local: it grants web a life until" in result["msg"]
    assert "renew_before 864000s would make that due at once" in result["msg"]
    assert world.phases == ["prepare", "install"]  # the second one only gives the lease back
    assert world.generations() == []
    assert not world.path("web", "lease.json").exists()
    known = world.remembered()
    assert known.generation is None


def test_a_share_of_a_capped_life_is_no_reason_to_fail(tmp_path: Path) -> None:
    world = World(tmp_path)
    authority(world.authorities, "short", lifetime="2d")
    world.settled([web(lifetime="30d")], issuer=world.issuer("short"))


@pytest.mark.parametrize("lifetime", ["60s", "61s", "150s", "10m"])
def test_a_short_life_has_a_time_in_which_nothing_is_due(world: World, lifetime: str) -> None:
    world.settled([web(lifetime=lifetime)])


@pytest.mark.parametrize("renew_before", ["99%", "90%", "29d"])
def test_a_long_margin_leaves_a_time_in_which_nothing_is_due(world: World, renew_before: str) -> None:
    for number in range(5):
        world.settled([web(name=f"web{number}", renew_before=renew_before)])


def test_names_that_the_authority_may_not_sign_are_refused_and_do_not_stop_siblings(world: World) -> None:
    authority(world.authorities, "narrow", name_constraints={"permitted": {"dns": ["example.org"]}})
    many = [web(), web(name="other", dns_names=["evil.example.com"])]
    result = world.converge(many, issuer=world.issuer("narrow"))
    assert [one["failed"] for one in result["identities"]] == [False, True]
    assert result["msg"].startswith("local: other is refused: ")
    assert world.query("SELECT state FROM generations ORDER BY id") == [("current",), ("refused",)]
    again = world.converge(many, issuer=world.issuer("narrow"))
    assert [one["changed"] for one in again["identities"]] == [False, False]


def test_a_key_that_two_identities_of_a_task_present_is_refused(world: World) -> None:
    result = world.converge([web(name="a"), web(name="b")], execute=with_key_of(world, "a"))
    assert [one["failed"] for one in result["identities"]] == [False, True]
    assert "host: its request for b is refused: its key is that of identity a already" in result["msg"]
    assert len(world.issued()) == 1


def test_a_key_that_an_identity_of_the_store_has_is_refused(world: World) -> None:
    world.converge([web(name="a")])
    result = world.converge([web(name="b")], execute=with_key_of(world, "a"))
    assert "its key is that of identity a already" in result["msg"]
    assert len(world.issued()) == 1


def test_a_key_that_an_identity_of_another_host_has_is_refused(world: World, tmp_path: Path) -> None:
    world.converge([web()])
    other = World(tmp_path / "other", host="db1.example.org")
    both = {"ledger": world.url, "issuer": world.issuer()}
    result = other.converge([web(), web(name="db")], execute=with_key_of(world, "web", only="web"), **both)
    assert [one["failed"] for one in result["identities"]] == [True, False]
    assert f"its key is that of identity web in {world.store} of {world.host} already" in result["msg"]
    assert len(world.issued()) == 2
    assert other.settled([web(), web(name="db")], **both)["changed"] is True


def test_a_lost_answer_that_was_revoked_is_not_used(world: World) -> None:
    with pytest.raises(Lost):
        world.converge([web()], execute=lost_at_install(world))
    (signed,) = world.issued()
    LocalIssuer(world.issuer()["local"]).revoke([signed.public_bytes(Encoding.DER)], "superseded")
    world.settled([web()])
    assert len(world.issued()) == 2
    assert world.certificate() != signed


def test_a_staged_key_that_was_compromised_gets_no_other_credential(world: World) -> None:
    with pytest.raises(Lost):
        world.converge([web()], execute=lost_at_install(world))
    (signed,) = world.issued()
    LocalIssuer(world.issuer()["local"]).revoke([signed.public_bytes(Encoding.DER)], "key_compromise")
    for _ in range(2):
        result = world.converge([web()])
        assert "local: the staged key of web was compromised" in result["msg"]
        assert "remove the directory next of web" in result["msg"]
    shutil.rmtree(world.path("web", "next"))
    world.settled([web()])
    assert world.certificate().public_key() != signed.public_key()


def test_a_renewal_with_the_old_key_is_refused(world: World) -> None:
    world.converge([web()])
    said = web(dns_names=["new.example.org"])
    result = world.converge([said], execute=with_key_of(world, "web", ("new.example.org",)))
    assert "its key is that of identity web already" in result["msg"]
    assert world.current() == 1
    world.settled([said])


def with_key_of(
    world: World, name: str, names: tuple[str, ...] = ("web.example.org",), only: str | None = None
) -> t.Callable[[dict[str, t.Any]], Answer]:
    """Let the host sign every request with the key of one identity, current or staged."""

    def execute(arguments: dict[str, t.Any]) -> Answer:
        answer = world.execute(arguments)
        if arguments["phase"] == "prepare":
            there = list(world.path(name).glob("[1-9]*/private_key.pem"))
            pem = (there or [world.path(name, "next", "private_key.pem")])[0].read_bytes()
            key = from_pem(pem)
            csr = base64.b64encode(pki.request(Subject(dns_names=names), key)).decode()
            for one in [one for one in answer["identities"] if only in (None, one["name"])]:
                one.update(csr=csr, public_id=spki_sha256(key.public_key()))
        return answer

    return execute


CONTROLLER = """
import os, sys
sys.path.insert(0, {tests!r})
import conftest
from pathlib import Path
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
world = World(Path({directory!r}))
world.converge([web(name="warm")], check=True)
print("ready", flush=True)
for number in range({rounds}):
    sys.stdin.readline()
    result = world.converge([web(name=f"web{{number}}")], wait="20s")
    print(result.get("msg") or "fine", flush=True)
"""


def test_two_controllers_on_one_identity_issue_once_every_time(world: World) -> None:
    rounds = 20
    tests = str(Path(__file__).resolve().parents[3])
    code = CONTROLLER.format(tests=tests, directory=str(world.directory), rounds=rounds)
    world.converge([web(name="first")])
    two = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        said = [[_line(one) for one in two]]
        for _ in range(rounds):
            for one in two:
                assert one.stdin
                one.stdin.write("go\n")
                one.stdin.flush()
            said.append([_line(one) for one in two])
    finally:
        for one in two:
            one.kill()
            one.communicate()
    assert said == [["ready", "ready"], *[["fine", "fine"]] * rounds]
    assert len(world.issued()) == rounds + 1
    assert {tuple(world.generations(f"web{number}")) for number in range(rounds)} == {(1,)}
    ledger = open_ledger(world.url, read_only=True)
    assert verify(ledger) is None
    ledger.close()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_check_asks_nobody(world: World) -> None:
    shown = world.converge([web()], check=True)["identities"][0]
    assert steps(shown) == ["stage_key", "issue", "publish"]
    assert (world.issued(), world.ledger.exists(), world.store.exists()) == ([], False, False)
