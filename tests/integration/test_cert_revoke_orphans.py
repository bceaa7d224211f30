# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is of no use any more and still counts: cert_revoke lists it, and revokes it, and nothing that is in use."""

from __future__ import annotations

import contextlib
import sqlite3
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import (
    Batch,
    Intent,
    Issued,
    Orphaned,
    Outcome,
    Withdrawn,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for, open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._serial import with_colons
from ansible_collections.keystead.identity.plugins.plugin_utils._signed import issued
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.elsewhere import Authority
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.ledgers import place
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography import x509
from cryptography.hazmat.primitives import hashes

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.ledgers import Place
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

__all__ = ["place"]  # a fixture
ORPHANED, SUPERSEDED = {"orphaned": True}, {"superseded": True}
NO_RUN: dict[str, str | None] = {"operating_system_user": "test"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world.url, world.issuer())


def swept(office: Office, *entries: dict[str, t.Any], **said: t.Any) -> list[dict[str, t.Any]]:
    """List in check mode, twice, which touches nothing; revoke; and find nothing left. Return what was revoked."""
    before = office.rows(**said)
    shown = [office.run(*entries, check=True, **said) for _turn in range(2)]
    assert office.rows(**said) == before
    done = office.run(*entries, **said)
    assert not done.get("failed"), done
    assert all(one["steps"] == done["steps"] for one in shown)
    assert [one["why"] for one in shown[0]["certificates"]] == [one["why"] for one in done["certificates"]]
    for check in (False, True):
        again = office.run(*entries, check=check, **said)
        assert (again["changed"], again["matched"], again["steps"]) == (False, 0, [])
    assert all((one["status"], one["changed"]) == ("revoked", True) for one in done["certificates"])
    return t.cast("list[dict[str, t.Any]]", done["certificates"])


def asked_for(url: str, issuer: str, number: int = 7, name: str = "web", **said: t.Any) -> Batch:
    """Let a run that never comes back write down, an hour ago, that it asks for a key."""
    batch = Batch(HOST, "/store", NO_RUN, datetime.now(UTC) - timedelta(hours=1))
    ledger = open_for({"ledger": url, **said})
    try:
        ledger.intend(batch, [Intent(name, 1, local.public_id(number), issuer, "ecdsa-p256", f"gone:{number}")])
    finally:
        ledger.close()
    return batch


def given_up(url: str, batch: Batch, found: Issued | None = None, name: str = "web", **said: t.Any) -> None:
    """Let the next run write down that this is an orphan."""
    ledger = open_for({"ledger": url, **said})
    try:
        ledger.record(batch, [Outcome(name, 1, (), (Orphaned(found),))])
    finally:
        ledger.close()


def signed(issuer: dict[str, t.Any], number: int = 7) -> x509.Certificate:
    """Have an issuer sign for a key."""
    ((backend, options),) = issuer.items()
    (made,) = ISSUERS[backend]({**options, "timeout": 30}).begin([local.request(number=number)])
    assert not isinstance(made, KeysteadError), made
    return x509.load_pem_x509_certificate(made.parts["certificate"].content)  # type: ignore[union-attr]


def id_of(issuer: dict[str, t.Any]) -> str:
    ((backend, options),) = issuer.items()
    return str(ISSUERS[backend]({**options, "timeout": 30}).id)


# superseded


def test_what_another_one_replaced_is_listed_and_revoked_and_what_is_in_use_is_not(
    world: World, place: Place
) -> None:
    office, said = Office(place.options["ledger"], world.issuer()), dict(place.options)
    old = []
    for lifetime in ("30d", "20d", "10d"):
        world.converge([web(lifetime=lifetime), web(name="api")], **said)
        old.append(world.certificate())
    found = swept(office, SUPERSEDED, reason="superseded", **said)
    assert [(one["identity"], one["generation"], one["why"]) for one in found] == [
        ("web", 1, "superseded: another one took its place"), ("web", 2, "superseded: another one took its place"),
    ]  # fmt: skip
    assert [world.is_revoked(one) for one in old] == [True, True, False]
    assert not world.is_revoked(world.certificate("api"))


def test_a_sweep_is_narrowed_like_any_entry(world: World, office: Office) -> None:
    for lifetime in ("30d", "20d"):
        world.converge([web(lifetime=lifetime), web(name="api", lifetime=lifetime)])
    assert office.run({**SUPERSEDED, "identity": "nope"}, check=True)["matched"] == 0
    assert office.run({**SUPERSEDED, "host": "web2.example.org"}, check=True)["matched"] == 0
    assert office.run({**SUPERSEDED, "issued_before": "2020-01-01T00:00:00Z"}, check=True)["matched"] == 0
    assert office.run({**SUPERSEDED, "issuer": "local:other:00"}, check=True)["matched"] == 0
    assert "1 certificates were expected, and the entries select 2" in office.refusal(SUPERSEDED, expect=1)
    assert [one["identity"] for one in swept(office, {**SUPERSEDED, "identity": "web"})] == ["web"]
    assert [one["identity"] for one in swept(office, {**SUPERSEDED, "issuer": id_of(world.issuer())})] == ["api"]


def test_what_an_absent_identity_had_is_superseded_and_what_was_released_is_not(world: World, office: Office) -> None:
    for name in ("web", "api"):
        world.one(web(name=name, links={str(world.links / name): "combined"}))
    gone = world.certificate("web")
    world.one(web(state="absent"))
    world.one({**web(name="api", links={str(world.links / "api"): "combined"}), "state": "released"})
    (found,) = swept(office, SUPERSEDED)
    assert (found["identity"], found["why"]) == ("web", "superseded: its identity is absent")
    assert world.is_revoked(gone)


def test_a_certificate_that_another_host_still_uses_is_not_superseded(world: World, tmp_path: Path) -> None:
    """One pair was adopted on two hosts, and replaced on one of them."""
    theirs, other = Authority(tmp_path / "theirs"), World(tmp_path / "second", host="web2.example.org")
    theirs.leaf()
    office = Office(world.url, world.issuer())
    for one in (world, other):
        assert not one.converge([theirs.adopted()], ledger=world.url).get("failed")
    now = {**theirs.adopted()["adopt"], "replace": "now"}
    world.converge([web(adopt=now)])
    assert office.run(SUPERSEDED, check=True)["matched"] == 0
    other.converge([web(adopt=now)], ledger=world.url)
    in_use = {one.certificate().serial_number for one in (world, other)}
    assert len(in_use) == 2, "each host has its own by now"
    with pytest.raises(KeysteadError, match="did not sign it; name who signed it in issuer or issuers"):
        office.run(SUPERSEDED, check=True)


# orphaned


def test_what_was_signed_and_never_installed_is_an_orphan_once_its_run_cannot_come_back(
    world: World, office: Office
) -> None:
    def lost(arguments: t.Mapping[str, t.Any]) -> t.Any:
        if arguments["phase"] == "install":
            raise ConnectionError("the host is gone")
        return world.execute(arguments)

    world.one(web())
    with pytest.raises(ConnectionError):
        world.converge([web(lifetime="10d")], execute=lost)
    assert office.run(ORPHANED, check=True)["matched"] == 0, "it may be about to be installed"
    long_ago(world)
    assert office.run(ORPHANED, check=True)["matched"] == 0, "it may have been installed"
    (found,) = swept(office, {**ORPHANED, "host": HOST}, replaced_first=False)
    assert found["why"] == "orphaned: it was signed, and the run that asked for it never came to install it"
    assert not world.is_revoked(world.certificate())
    assert world.settled([web(lifetime="10d")])["changed"], "and the next run gets another one"


def long_ago(world: World) -> None:
    """Let a quarter of an hour pass since something was issued."""
    with contextlib.closing(sqlite3.connect(world.ledger)) as ledger, ledger:
        ledger.execute("UPDATE generations SET issued_at = '2026-01-01T00:00:00.000Z' WHERE state = 'issued'")


def test_what_a_host_installed_for_a_run_that_was_cut_off_is_no_orphan(world: World, office: Office) -> None:
    def cut_off(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = world.execute(arguments)
        if arguments["phase"] == "install":
            raise ConnectionError("the way back is gone")
        return answer

    world.one(web())
    with pytest.raises(ConnectionError):
        world.converge([web(lifetime="10d")], execute=cut_off)
    assert world.query("SELECT state FROM generations WHERE number = 2") == [("issued",)]
    used = world.certificate()
    assert world.path("web", "current").readlink().name == "2"
    long_ago(world)
    for entry in (ORPHANED, {**ORPHANED, "host": HOST}, {**ORPHANED, "identity": "web"}):
        done = office.run(entry)
        assert (done["matched"], done["changed"]) == (0, False)
        (warning,) = done["warnings"]
        assert f"1 certificates are left out, since they may be installed: web on {HOST}; the runs that" in warning
        assert "Run machine_identity there, which looks, or, for a host that is gone, sweep that host alone" in warning
    refused = office.refusal({"fingerprint_sha256": used.fingerprint(hashes.SHA256()).hex()})
    assert f"issued for {HOST} by a run that never came back to say whether it installed it" in refused
    world.settled([web(lifetime="10d")])
    assert office.run(ORPHANED)["matched"] == 0
    assert not world.is_revoked(used)
    assert world.query("SELECT state FROM generations WHERE number = 2") == [("current",)]


@pytest.mark.needs("openbao")
def test_an_answer_that_was_refused_is_swept_at_its_openbao(openbao: Server, tmp_path: Path) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    auth = {"token": {"token": make.token(pki, "root")}}
    refused, right = ({"openbao": pki.options(auth, role=role)} for role in ("peer", "web"))
    assert world.one(web(), issuer=refused)["failed"]
    world.one(web(), issuer=right)
    (found,) = swept(Office(world.url, right), ORPHANED)
    assert found["why"] == "orphaned: it was signed, and its answer was lost or refused"
    kept = pki.call("GET", f"{pki.mount}/cert/{found['serial_number']}")["data"]
    assert kept["revocation_time"] > 0
    number = with_colons(world.certificate().serial_number)
    assert not pki.call("GET", f"{pki.mount}/cert/{number}")["data"]["revocation_time"]


def test_what_is_found_by_its_key_alone_is_revoked_over_every_ledger(world: World, place: Place) -> None:
    said, url = dict(place.options), place.options["ledger"]
    world.one(web(name="api"), **said)
    batch = asked_for(url, id_of(world.issuer()), **said)
    first, other = signed(world.issuer()), signed(world.issuer(), 8)
    given_up(url, batch, **said)
    office = Office(url, world.issuer())
    (found,) = swept(office, ORPHANED, reason="cessation_of_operation", **said)
    assert found["serial_number"] == with_colons(first.serial_number)
    assert (found["host"], found["identity"]) == (HOST, "web")
    assert found["why"] == "orphaned: its answer was lost, and its issuer lists it"
    assert [world.is_revoked(one) for one in (first, other, world.certificate("api"))] == [True, False, False]
    assert {(one["identity"], one["generation"]) for one in office.events(**said)} == {("web", None)}


@pytest.mark.needs("openbao")
def test_an_openbao_is_searched_for_the_key_and_one_that_keeps_nothing_is_said(
    openbao: Server, tmp_path: Path
) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    issuer = {"openbao": {**pki.options({"token": {"token": make.token(pki, "root")}})}}
    world.one(web(name="api"), issuer=issuer)
    batch = asked_for(world.url, id_of(issuer))
    lost = signed(issuer)
    given_up(world.url, batch)
    office = Office(world.url, issuer)
    (found,) = swept(office, ORPHANED)
    assert found["serial_number"] == with_colons(lost.serial_number)
    forgetful = {"openbao": {**issuer["openbao"], "role": "no_store"}}
    batch = asked_for(world.url, id_of(issuer), 9, "old")
    signed(forgetful, 9)
    given_up(world.url, batch, name="old")
    done = office.run(ORPHANED)
    assert (done["matched"], done["changed"]) == (0, False)
    assert f"may have signed after {batch.at:%Y-%m-%d %H:%M} UTC for old on {HOST}, key " in str(done["warnings"])
    assert "it lists nothing for that key: it signed nothing, or it keeps nothing" in str(done["warnings"])


def test_what_a_later_run_got_with_the_same_key_is_no_orphan(world: World, office: Office) -> None:
    batch = asked_for(world.url, id_of(world.issuer()))
    given_up(world.url, batch)
    found = signed(world.issuer())
    asked_for(world.url, id_of(world.issuer()))
    assert office.run(ORPHANED, check=True)["matched"] == 0, "a run is about to look for it itself"
    ledger = open_ledger(world.url)
    try:
        change = issued(found.public_bytes(make.Encoding.PEM), b"")
        ledger.record(batch, [Outcome("web", 1, (), (change,))])
    finally:
        ledger.close()
    (one,) = office.run(ORPHANED, check=True, replaced_first=False)["certificates"]
    assert one["why"].endswith("never came to install it"), "that run had it, and never came back"


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("local:other:00", "cannot be found: name it in issuers, so that it can be asked for"),
        ("acme:https://acme.example.org/directory:1", "cannot be found: name it in issuers"),
    ],
)
def test_what_nobody_here_can_look_for_is_named_with_what_helps(
    world: World, office: Office, issuer: str, words: str
) -> None:
    world.one(web(name="api"))
    given_up(world.url, asked_for(world.url, issuer))
    (warning,) = office.run(ORPHANED, check=True)["warnings"]
    assert warning.startswith(f"cert_revoke: what {issuer} may have signed after ")
    assert words in warning
    assert local.public_id(7) in warning


def test_what_an_issuer_lists_and_no_host_showed_is_swept_by_that_name_alone(world: World, office: Office) -> None:
    world.one(web())
    found = signed(world.issuer())
    batch = Batch("", "local:issuing", NO_RUN, datetime.now(UTC) - timedelta(hours=1))
    ledger = open_ledger(world.url)
    try:
        ledger.intend(batch, [Intent("serial-1", 1, local.public_id(7), id_of(world.issuer()), "ecdsa-p256", "me")])
        change = issued(found.public_bytes(make.Encoding.PEM), b"")
        ledger.record(batch, [Outcome("serial-1", 1, (), (change, Orphaned(), Withdrawn()))])
    finally:
        ledger.close()
    done = office.run(ORPHANED)
    assert done["matched"] == 0
    assert "1 certificates that their issuers list, and no host showed" in str(done["warnings"])
    (swept_one,) = swept(office, {**ORPHANED, "host": ""})
    assert swept_one["why"] == "orphaned: its issuer lists it, and no host showed it"
    assert world.is_revoked(found)


def test_an_entry_that_asks_for_both_is_refused_and_false_says_nothing(world: World, office: Office) -> None:
    world.one(web())
    refused = office.refusal({**ORPHANED, **SUPERSEDED})
    assert "certificates[0]: orphaned and superseded: no certificate is both" in refused
    assert "certificates[0]: it is empty" in office.refusal({"orphaned": False})
