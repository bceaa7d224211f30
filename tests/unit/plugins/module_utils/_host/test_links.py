# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Links on the host: what stands in their way is named, and nothing of others is taken away."""

from __future__ import annotations

import os
import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._host.links import bytes_at, part_behind, remove_link
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def linked(world: World, name: str = "a.pem", part: str = "fullchain", **said: t.Any) -> dict[str, t.Any]:
    return web(links={str(world.links / name): part}, **said)


def directory(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("stand", [directory, fifo])
def test_what_is_neither_a_file_nor_a_link_is_never_replaced(world: World, stand: t.Callable[[Path], None]) -> None:
    stand(world.links / "a.pem")
    result = world.foreseen([linked(world, replace_files=True)])
    assert "is neither a file nor a link; choose another path for fullchain" in result["msg"]
    assert world.issued() == []


def test_a_directory_that_is_missing_is_named_and_not_made(world: World) -> None:
    result = world.foreseen([web(links={str(world.links / "no" / "a.pem"): "chain"}), web(name="other")])
    assert str(world.links / "no") in result["msg"]
    assert [one["failed"] for one in result["identities"]] == [True, False]
    assert not (world.links / "no").exists()


def test_a_directory_that_others_may_write_is_refused(world: World) -> None:
    world.links.chmod(0o777)
    assert str(world.links) in world.foreseen([linked(world)])["msg"]
    assert world.issued() == []


def test_a_directory_behind_a_symbolic_link_is_refused_or_followed_safely(world: World) -> None:
    (world.directory / "alias").symlink_to(world.links)
    result = world.converge([web(links={str(world.directory / "alias" / "a.pem"): "chain"})])
    assert result["failed"]
    assert list(world.links.iterdir()) == []


def test_a_link_moves_from_one_identity_to_another(world: World) -> None:
    world.converge([linked(world)])
    world.converge([web(), {**linked(world), "name": "other"}])
    assert (world.links / "a.pem").read_bytes() == world.path("other", "1", "fullchain.pem").read_bytes()
    world.settled([web(), {**linked(world), "name": "other"}])


def test_a_link_of_another_identity_is_refused_in_every_run(world: World) -> None:
    mine, other = [linked(world)], [{**linked(world, replace_files=True), "name": "other"}]
    world.converge(mine)
    refused = world.foreseen(other)
    path = world.links / "a.pem"
    said = f"host: {path} is a link of identity web; take it out of one of the two declarations"
    assert refused["identities"][0]["msg"] == said
    assert len(world.issued()) == 1
    assert world.converge(mine)["changed"] is False


def test_a_link_that_another_task_gave_up_is_free(world: World) -> None:
    world.converge([linked(world)])
    world.settled([web()])
    world.settled([{**linked(world), "name": "other"}])


def test_a_link_of_an_identity_that_goes_in_the_same_task_is_free(world: World) -> None:
    world.converge([linked(world)])
    world.settled([{"name": "web", "state": "absent"}, {**linked(world), "name": "other"}])
    assert (world.links / "a.pem").read_bytes() == world.path("other", "1", "fullchain.pem").read_bytes()


def test_a_link_of_an_identity_that_is_gone_is_replaced(world: World) -> None:
    world.converge([linked(world)])
    shutil.rmtree(world.path("web"))
    world.settled([{**linked(world), "name": "other"}])


@pytest.mark.parametrize("target", ["/etc/hostname", "foreign.pem"])
def test_a_foreign_link_is_replaced_only_when_the_task_says_so(world: World, target: str) -> None:
    (world.links / "foreign.pem").write_text("foreign")
    path = world.links / "a.pem"
    path.symlink_to(target)
    refused = world.foreseen([linked(world)])
    said = f"host: {path} is a link to {target}, and a link for fullchain would take its place; "
    assert refused["identities"][0]["msg"] == said + "move it away, or say replace_files: true for web"
    assert (str(path.readlink()), world.issued()) == (target, [])
    world.settled([linked(world, replace_files=True)])
    assert (world.links / "foreign.pem").read_text() == "foreign"


def test_another_part_of_the_same_identity_is_replaced(world: World) -> None:
    world.converge([linked(world)])
    world.settled([linked(world, part="chain")])
    assert (world.links / "a.pem").read_bytes() == world.path("web", "1", "chain.pem").read_bytes()


def test_a_link_whose_directory_went_away_is_forgotten(world: World) -> None:
    gone = world.directory / "gone"
    gone.mkdir()
    world.converge([web(links={str(gone / "a.pem"): "chain"})])
    (gone / "a.pem").unlink()
    gone.rmdir()
    assert world.converge([web()])["changed"] is False


def test_only_a_link_of_this_identity_is_taken_away(world: World) -> None:
    world.converge([linked(world)])
    path = str(world.links / "a.pem")
    assert part_behind(str(world.store), "web", path) == "fullchain"
    assert part_behind(str(world.store), "we", path) is None
    remove_link(str(world.store), "other", path)
    assert os.path.lexists(path)
    remove_link(str(world.store), "web", path)
    assert not os.path.lexists(path)


def test_bytes_are_read_of_regular_files_only(world: World) -> None:
    path = world.links / "a"
    assert bytes_at(str(path)) is None
    assert bytes_at(str(world.links / "no" / "a")) is None
    path.write_bytes(b"x")
    assert bytes_at(str(path)) == b"x"
    (world.links / "b").symlink_to(path)
    assert bytes_at(str(world.links / "b")) is None
