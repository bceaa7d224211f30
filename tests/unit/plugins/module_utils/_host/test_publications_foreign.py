# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whose a file is: what others have, what other identities have, and what a failed or refused run leaves of copies."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.in_process import World, steps, web
from ansible_collections.keystead.identity.tests.harness.local import two_tiers
from ansible_collections.keystead.identity.tests.harness.publishers import held
from cryptography.hazmat.primitives.serialization import pkcs12

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def bundle(path: Path, *parts: str, **said: t.Any) -> dict[str, t.Any]:
    return {"pem_bundle": {"path": str(path), **said}, **({"parts": list(parts)} if parts else {})}


def p12(path: Path, password: str) -> dict[str, t.Any]:
    return {"pkcs12": {"path": str(path), "password": password}}


def other(**said: t.Any) -> dict[str, t.Any]:
    return {"name": "other", "dns_names": ["other.example.org"], **said}


def key(world: World, name: str = "web") -> str | None:
    return held(world.path(name, "current", "private_key.pem").read_bytes()).key


def gated(world: World, *publish: dict[str, t.Any], **said: t.Any) -> dict[str, t.Any]:
    """Return an identity whose consumer refuses as long as a file `fails` is there."""
    return web(publish=list(publish), activate={"command": ["sh", "-c", f"! test -e {world.directory}/fails"]}, **said)


def test_a_file_that_could_not_be_written_is_not_ours_when_its_owner_writes_it(world: World) -> None:
    path = world.links / "web.pem"
    said = web(publish=[bundle(path)])
    world.settled([said])
    path.unlink()
    record = world.path("web", "copies.json")
    intent = json.loads(record.read_text())
    for entry in intent["files"].values():
        entry["written"] = False  # as it stands after a write that failed
    record.write_text(json.dumps(intent))
    path.write_text("the admin's\n")
    assert "is a regular file with other content" in world.one(said)["msg"]
    assert path.read_text() == "the admin's\n"


@pytest.mark.needs("root")
def test_a_full_disk_makes_no_file_ours(world: World) -> None:
    small = world.directory / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k,mode=0755", "none", str(small)], check=True)
    try:
        (small / "filler").write_bytes(b"x" * 8192)
        said = web(publish=[bundle(small / "web.pem")])
        assert world.one(said)["failed"]
        (small / "filler").unlink()
        (small / "web.pem").write_text("the admin's\n")
        assert "is a regular file with other content" in world.one(said)["msg"]
        (small / "web.pem").unlink()
        world.settled([said])
        (small / "web.pem").write_text("a slip\n")
        assert steps(world.settled([said])["identities"][0]) == ["publish"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_write_that_was_cut_off_before_it_was_noted_as_complete_is_completed(world: World) -> None:
    said = web(publish=[bundle(world.links / "web.pem")])
    world.settled([said])
    record = world.path("web", "copies.json")
    record.write_text(record.read_text().replace('"written": true', '"written": false'))
    world.settled([said])
    assert '"written": true' in record.read_text()


def test_a_rollback_takes_away_a_copy_that_was_not_there_before(world: World) -> None:
    first, second = world.links / "web.pem", world.links / "q-new.pem"
    world.settled([gated(world, bundle(first))])
    (world.directory / "fails").touch()
    assert world.one(gated(world, bundle(first), bundle(second), lifetime="10d"))["failed"]
    assert [one.name for one in world.links.iterdir()] == ["web.pem"]
    (world.directory / "fails").unlink()
    world.settled([gated(world, bundle(first))])


def test_a_copy_that_no_ledger_heard_of_is_listed_in_check_mode_and_taken_away(world: World) -> None:
    first, second = world.links / "web.pem", world.links / "q-new.pem"
    world.settled([web(publish=[bundle(first)])])

    def execute(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = world.execute(arguments)
        if arguments["phase"] == "install":
            raise KeyboardInterrupt
        return answer

    with pytest.raises(KeyboardInterrupt):
        world.converge([web(publish=[bundle(first), bundle(second)])], execute=execute)
    assert second.exists()
    foreseen = world.foreseen([web(publish=[bundle(first)])])["identities"][0]
    assert [step["reason"] for step in foreseen["steps"]] == [f"{second} is no longer declared"]
    world.settled([web(publish=[bundle(first)])])
    assert not second.exists()


@pytest.mark.parametrize("kind", ["copy", "link", "publish over a link"])
def test_what_another_identity_needs_is_never_taken_even_where_files_are_replaced(world: World, kind: str) -> None:
    path = world.links / "web.pem"
    mine, theirs = {"publish": [bundle(path)]}, {"publish": [bundle(path)]}
    if kind == "link":
        mine = {"links": {str(path): "combined"}}
    elif kind == "publish over a link":
        theirs = {"links": {str(path): "combined"}}
    world.settled([other(**theirs)])
    done = world.one(web(**mine, replace_files=True))
    what = "link" if "links" in theirs else "copy"
    assert f"is a {what} of identity other; take it out of one of the two" in done["msg"]
    assert held(path.read_bytes()).key == key(world, "other")


@pytest.mark.parametrize("kind", ["copy", "link"])
def test_a_path_moves_to_another_identity_in_one_task(world: World, kind: str) -> None:
    path = world.links / "web.pem"
    world.settled([other(publish=[bundle(path)]), web()])
    mine = {"publish": [bundle(path)]} if kind == "copy" else {"links": {str(path): "combined"}}
    for _order in range(2):
        world.settled([other(), web(**mine)])
        assert held(path.read_bytes()).key == key(world)
    assert not world.path("other", "copies.json").exists()


def test_a_path_moves_with_the_same_content_and_stays(world: World) -> None:
    two_tiers(world.authorities / "two")
    issuer = {"local": {"directory": str(world.authorities / "two"), "authority": "issuing"}}
    path = world.links / "chain.pem"
    world.settled([other(publish=[bundle(path, "chain")], issuer=issuer), web(issuer=issuer)])
    world.settled([other(issuer=issuer), web(publish=[bundle(path, "chain")], issuer=issuer)])
    assert path.exists()


def test_a_temporary_name_of_somebody_else_is_left_alone(world: World) -> None:
    mine = [world.links / f".{name}.new" for name in ("web.pem", "web.key")]
    for one in mine:
        one.write_text("mine\n")
    said = {"publish": [bundle(world.links / "web.pem")], "links": {str(world.links / "web.key"): "private_key"}}
    world.settled([web(**said)])
    world.settled([{"name": "web", "state": "absent"}])
    assert sorted(world.links.iterdir()) == sorted(mine)


def test_a_consumer_that_refuses_another_password_gets_the_very_file_back(world: World) -> None:
    path = world.links / "web.p12"
    world.settled([gated(world, p12(path, "first"))])
    path.chmod(0o640)
    before = path.read_bytes()
    (world.directory / "fails").touch()
    done = world.one(gated(world, p12(path, "second")))
    assert "rolled back to the copies that were there before" in done["msg"]
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (before, 0o640)
    (world.directory / "fails").unlink()
    world.settled([gated(world, p12(path, "second"))])
    assert pkcs12.load_pkcs12(path.read_bytes(), b"second").key


@pytest.mark.needs("root")
@pytest.mark.parametrize("consumer", [True, False], ids=["with a consumer", "without one"])
def test_a_copy_that_fails_in_a_renewal_takes_everything_back(world: World, *, consumer: bool) -> None:
    small = world.directory / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k,mode=0755", "none", str(small)], check=True)
    try:
        publish = [bundle(world.links / "web.pem"), bundle(small / "web.pem")]
        said = gated(world, *publish) if consumer else web(publish=publish)
        world.settled([said])
        before, copy = key(world), (world.links / "web.pem").read_bytes()
        with (small / "filler").open("wb", buffering=0) as filler:
            filler.write(b"x" * 4096)
        done = world.one({**said, "lifetime": "10d"})
        assert "rolled back to generation 1" in done["msg"]
        assert (key(world), (world.links / "web.pem").read_bytes()) == (before, copy)
        (small / "filler").unlink()
        world.settled([{**said, "lifetime": "10d"}])
        assert key(world) != before
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.needs("root")
def test_a_file_with_the_key_that_somebody_else_owns_is_taken_back(world: World) -> None:
    path, public = world.links / "web.pem", world.links / "ca.pem"
    said = web(publish=[bundle(path), bundle(public, "certificate")])
    world.settled([said])
    os.chown(path, 65534, 65534)
    os.chown(public, 65534, 65534)
    done = world.settled([said])["identities"][0]
    assert [step["reason"] for step in done["steps"]] == [f"the owner of {path} is 65534:65534, not 0:0"]
    assert (path.stat().st_uid, path.stat().st_gid) == (0, 0)


@pytest.mark.parametrize("gone", [web(), {"name": "web", "state": "absent"}], ids=["undeclared", "absent"])
def test_a_file_with_the_key_that_others_changed_is_named_when_it_stays(world: World, gone: dict[str, t.Any]) -> None:
    path, public = world.links / "web.pem", world.links / "ca.pem"
    world.settled([web(publish=[bundle(path), bundle(public, "certificate")])])
    for one in (path, public):
        one.write_bytes(b"# by hand\n" + one.read_bytes())
    done = world.converge([gone])
    named = [one for one in done["warnings"] if "was changed by others" in one]
    said = f"web: {path} was changed by others since it was written, so it stays, and it may hold a private key; "
    assert named == [f"{said}look at it, and delete it where nobody needs it"]
    assert path.exists()
