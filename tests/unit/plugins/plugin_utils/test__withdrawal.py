# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Absent, released, purged, revoked: what goes, what stays, and what is refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.local import authority
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def links(world: World) -> dict[str, str]:
    return {str(world.links / "web.pem"): "fullchain", str(world.links / "web.key"): "private_key"}


def absent(**said: t.Any) -> dict[str, t.Any]:
    return {"name": "web", "state": "absent", **said}


def test_absent_destroys_the_key_and_the_links_and_keeps_the_record(world: World) -> None:
    world.converge([web(links=links(world))])
    (certificate,) = world.issued()
    done = world.settled([absent()])["identities"][0]
    assert steps(done) == ["destroy", "withdraw", "withdraw"]
    assert not world.path().exists()
    assert list(world.links.iterdir()) == []
    assert not world.is_revoked(certificate)
    known = world.remembered()
    assert (known.state, known.generation, known.newest, known.links) == ("absent", None, 1, ())


def test_absent_finds_the_links_that_the_ledger_forgot_when_they_are_declared(world: World) -> None:
    world.converge([web(links=links(world))])
    world.ledger.unlink()
    (world.store / ".keystead.json").unlink()
    world.settled([absent(links=links(world))])
    assert list(world.links.iterdir()) == []


def test_absent_of_what_never_was_does_nothing(world: World) -> None:
    world.settled([absent(), absent(name="other", revoke_on_absent=True)])


def test_an_identity_that_comes_back_gets_a_higher_number(world: World) -> None:
    world.converge([web()])
    world.converge([absent()])
    done = world.settled([web()])
    assert world.current() == 2
    assert done["ansible_stats"]["data"] == {"keystead_issued": 1}


def test_absent_revokes_when_that_is_declared(world: World) -> None:
    world.converge([web()])
    (certificate,) = world.issued()
    done = world.settled([absent(revoke_on_absent=True)])["identities"][0]
    assert steps(done) == ["revoke", "destroy"]
    assert world.is_revoked(certificate)
    assert world.query("SELECT state, revocation_reason FROM generations") == [("revoked", "cessation_of_operation")]


def test_absent_revokes_what_only_the_ledger_still_has(world: World) -> None:
    world.converge([web()])
    (certificate,) = world.issued()
    shutil.rmtree(world.store)
    world.settled([absent(revoke_on_absent=True)])
    assert world.is_revoked(certificate)


def test_absent_revokes_later_what_it_left_valid_at_first(world: World) -> None:
    world.converge([web(keep_generations=1)])
    world.converge([web(keep_generations=1, dns_names=["new.example.org"])])
    world.converge([web(keep_generations=1, generation="previous")])
    current, other = world.certificate("web", "1"), world.certificate("web", "2")
    world.settled([absent()])
    phases = len(world.phases)
    done = world.settled([absent(revoke_on_absent=True)])["identities"][0]
    assert steps(done) == ["revoke"]
    assert (world.is_revoked(current), world.is_revoked(other)) == (True, False)
    assert set(world.phases[phases:]) == {"prepare"}
    assert world.query("SELECT number, state FROM generations ORDER BY number") == [(1, "revoked"), (2, "withdrawn")]


def test_what_has_ended_is_not_revoked(world: World) -> None:
    world.converge([web()])
    world.converge([absent()])
    make_it_end(world)
    assert world.settled([absent(revoke_on_absent=True)])["changed"] is False


def test_absent_revokes_what_was_issued_and_never_reached_the_host(world: World) -> None:
    with pytest.raises(KeyboardInterrupt):
        world.converge([web()], execute=cut_off_at_install(world))
    (certificate,) = world.issued()
    done = world.settled([absent(revoke_on_absent=True)])["identities"][0]
    assert steps(done) == ["revoke", "destroy"]
    assert world.is_revoked(certificate)


def test_absent_revokes_what_a_lost_ledger_knows_nothing_of(world: World) -> None:
    world.converge([web()])
    (certificate,) = world.issued()
    for path in world.directory.glob("ledger.sqlite*"):
        path.unlink()
    (world.store / ".keystead.json").unlink()
    world.settled([absent(revoke_on_absent=True)])
    assert world.is_revoked(certificate)
    assert not world.path().exists()


def crl_number(world: World) -> int:
    """Return the number of the list of the authority."""
    crl = x509.load_pem_x509_crl((world.authorities / "issuing" / "crl.pem").read_bytes())
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_a_list_from_a_backup_has_what_it_lost_before_it_has_what_is_absent(world: World) -> None:
    world.converge([web(), web(name="other"), web(name="third")])
    certificate, backup = world.certificate(), world.directory / "backup"
    shutil.copytree(world.authorities / "issuing", backup)
    office = Office(world.url, world.issuer())
    office.run({"identity": "web"}, reason="key_compromise", replaced_first=False)
    seen = crl_number(world)
    shutil.rmtree(world.authorities / "issuing")
    shutil.copytree(backup, world.authorities / "issuing")
    done = world.settled([absent(name=name, revoke_on_absent=True) for name in ("other", "third")])
    (warning,) = done["warnings"]
    assert "lacks 1 certificate that the ledger calls revoked, as if it came from a backup" in warning
    assert world.is_revoked(certificate)
    assert crl_number(world) > seen + 2
    told = "SELECT outcome FROM events WHERE action = 'publish' AND identity LIKE 'local:issuing:%'"
    assert world.query(told) == [("ok",)]
    assert office.run({"identity": "web"}, check=True)["changed"] is False


def test_an_identity_that_is_gone_from_the_host_is_struck_off_the_ledger_once(world: World) -> None:
    world.converge([web(links=links(world))])
    shutil.rmtree(world.store)
    for path in world.links.iterdir():
        path.unlink()
    done = world.settled([absent()])["identities"][0]
    assert (done["steps"], done["changed"]) == (
        [{"action": "withdraw", "reason": "it is not on the host, and the ledger still lists it"}], True,
    )  # fmt: skip
    assert not world.store.exists()
    assert (world.remembered().state, world.remembered().links) == ("absent", ())


def test_a_release_of_what_is_gone_from_the_host_is_written_down(world: World) -> None:
    world.converge([web()])
    shutil.rmtree(world.store)
    assert steps(world.settled([{"name": "web", "state": "released"}])["identities"][0]) == ["withdraw"]
    assert world.remembered().state == "released"


def test_purge_strikes_off_what_is_gone_from_the_host(world: World) -> None:
    world.converge([web(name="old"), web(name="kept")], scope="shop")
    shutil.rmtree(world.path("old"))
    done = world.converge([web(name="kept")], scope="shop", purge=True, check=True)
    assert [steps(one) for one in done["identities"]] == [[], ["withdraw"]]
    assert world.converge([web(name="kept")], scope="shop", purge=True)["changed"] is True
    again = world.converge([web(name="kept")], scope="shop", purge=True)
    assert (again["changed"], [one["name"] for one in again["identities"]]) == (False, ["kept"])


def make_it_end(world: World) -> None:
    """Let the ledger believe that every credential has ended."""
    with sqlite3.connect(world.ledger) as ledger:
        ledger.execute("UPDATE generations SET not_after = '2020-01-01T00:00:00.000Z'")
    ledger.close()


def cut_off_at_install(world: World) -> t.Callable[[dict[str, t.Any]], dict[str, t.Any]]:
    """Be the way to a host that breaks before anything is installed."""

    def execute(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        if arguments["phase"] == "install":
            raise KeyboardInterrupt
        return world.execute(arguments)

    return execute


def test_who_signed_is_found_among_issuers_by_its_id(world: World) -> None:
    world.converge([web()])
    (certificate,) = world.issued()
    authority(world.authorities, "second")
    world.settled(
        [absent(revoke_on_absent=True)], issuer=world.issuer("second"), issuers=[world.issuer("second"), world.issuer()]
    )
    assert world.is_revoked(certificate)


def test_without_who_signed_nothing_is_touched_and_its_id_is_named(world: World) -> None:
    world.converge([web(), web(name="other")])
    authority(world.authorities, "second")
    before = world.snapshot()
    result = world.foreseen([absent(revoke_on_absent=True)], issuer=world.issuer("second"))
    assert "option issuers: none of them is local:issuing:" in result["msg"]
    assert world.current() == 1
    assert {path: kept for path, kept in world.snapshot().items() if "/store/web/1/" in path} == {
        path: kept for path, kept in before.items() if "/store/web/1/" in path
    }
    world.settled([absent(revoke_on_absent=True)])


def test_released_leaves_plain_files_with_owner_and_mode(world: World) -> None:
    world.converge([web(links=links(world), mode="0640")])
    contents = {path: (world.links / path).read_bytes() for path in ("web.pem", "web.key")}
    done = world.settled([{"name": "web", "state": "released"}])["identities"][0]
    assert steps(done) == ["release", "release", "release"]
    for name, content in contents.items():
        path = world.links / name
        assert (path.is_symlink(), path.read_bytes(), path.stat().st_uid) == (False, content, os.getuid())
    assert (world.links / "web.key").stat().st_mode & 0o777 == 0o640
    assert (world.links / "web.pem").stat().st_mode & 0o777 == 0o644
    assert not world.path().exists()
    assert world.remembered().state == "released"


def test_released_is_refused_when_the_key_would_be_lost(world: World) -> None:
    world.converge([web(links={str(world.links / "web.pem"): "fullchain"})])
    result = world.foreseen([{"name": "web", "state": "released"}])
    assert "no link leads to the private key" in result["msg"]
    assert "state: absent" in result["msg"]
    assert world.current() == 1


@pytest.mark.parametrize("first", [["web.key"], ["web.pem"], ["web.key", "web.pem"]])
def test_a_release_that_was_cut_off_is_finished_by_the_next_run(world: World, first: list[str]) -> None:
    world.converge([web(links=links(world))])
    for name in first:
        content = (world.links / name).read_bytes()
        (world.links / name).unlink()
        (world.links / name).write_bytes(content)
    world.settled([{"name": "web", "state": "released"}])
    assert not world.path().exists()
    assert b"PRIVATE KEY" in (world.links / "web.key").read_bytes()


def test_what_is_released_can_be_managed_again(world: World) -> None:
    world.converge([web(links=links(world))])
    world.converge([{"name": "web", "state": "released"}])
    refused = world.converge([web(links=links(world))])
    assert "replace_files: true" in refused["msg"]
    world.settled([web(links=links(world), replace_files=True)])
    assert world.current() == 2


def test_purge_takes_only_what_the_same_scope_declared_and_the_task_does_not_name(world: World) -> None:
    world.converge([web(name="old"), web(name="kept")], scope="shop")
    world.converge([web(name="foreign")], scope="other")
    world.converge([web(name="nobodys")])
    done = world.converge([web(name="kept")], scope="shop", purge=True, check=True)
    assert [(one["name"], steps(one)) for one in done["identities"]] == [("kept", []), ("old", ["destroy"])]
    assert world.path("old").exists()
    done = world.converge([web(name="kept")], scope="shop", purge=True)
    assert reason(done["identities"][1], "destroy") == "the identity is declared absent"
    there = sorted(path.name for path in world.store.iterdir() if path.is_dir())
    assert there == ["foreign", "kept", "nobodys"]
    again = world.converge([web(name="kept")], scope="shop", purge=True)
    assert (again["changed"], [one["name"] for one in again["identities"]]) == (False, ["kept"])


def test_without_purge_nothing_of_the_scope_goes(world: World) -> None:
    world.converge([web(name="old")], scope="shop")
    world.converge([web(name="kept")], scope="shop")
    assert world.path("old").exists()
