# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What a killed run can leave behind, made by hand, and how the next run heals it."""

from __future__ import annotations

import json
import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if t.TYPE_CHECKING:
    from pathlib import Path

NEW = web(dns_names=["new.example.org"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def pending(world: World, generation: int, before: int | None, *, fresh: bool = True) -> None:
    world.path("web", "pending").symlink_to(json.dumps([generation, before, fresh]))


def unpublished(world: World, number: int = 2) -> bytes:
    """Leave generation `number` written, noted and not yet published; return its key."""
    shutil.copytree(world.path("web", "1"), world.path("web", str(number)), symlinks=True)
    pending(world, number, 1)
    return world.path("web", str(number), "private_key.pem").read_bytes()


def test_a_generation_that_was_written_and_never_published_goes(world: World) -> None:
    world.converge([web()])
    unpublished(world)
    done = world.settled([web()])["identities"][0]
    assert reason(done, "destroy") == "an earlier run left an unfinished generation behind"
    assert (world.generations(), world.current()) == ([1], 1)


def test_the_key_of_one_that_was_never_published_is_used_by_a_renewal(world: World) -> None:
    world.converge([web()])
    unpublished(world)
    key = generate("ecdsa-p256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name in ("private_key.pem", "combined.pem"):
        world.path("web", "2", name).write_bytes(key)
    world.settled([NEW])
    assert world.path("web", "current", "private_key.pem").read_bytes() == key
    assert world.generations() == [3]


@pytest.mark.parametrize("kept", [0, 1])
def test_a_generation_whose_destruction_was_cut_off_goes_with_a_renewal_too(world: World, kept: int) -> None:
    world.converge([web(keep_generations=kept)])
    shutil.copytree(world.path("web", "1"), world.path("web", "7"))
    world.path("web", "7", "generation.json").unlink()
    world.settled([{**NEW, "keep_generations": kept}])
    assert 7 not in world.generations()
    assert world.current() == 8


def test_what_is_left_of_an_identity_that_was_being_destroyed_does_not_hinder_its_return(world: World) -> None:
    world.converge([web()])
    world.path("web", "current").unlink()
    world.path("web", "1", "generation.json").unlink()
    done = world.settled([web()])["identities"][0]
    assert reason(done) == "an earlier run ended before there was a credential"
    assert world.generations() == [2]


@pytest.mark.parametrize("content", ["junk", "[]", "[" * 3999, '["1", 1, true]', '{"x": 1}', "null", "[1, 2, 3, 4]"])
def test_a_record_that_cannot_be_read_counts_as_none(world: World, content: str) -> None:
    world.converge([web()])
    world.path("web", "pending").symlink_to(content)
    assert not world.converge([web()])["changed"]
    world.settled([NEW])


def test_a_staged_key_of_another_type_is_replaced(world: World) -> None:
    def killed(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        if arguments["phase"] == "install":
            raise KeyboardInterrupt
        return world.execute(arguments)

    with pytest.raises(KeyboardInterrupt):
        world.converge([web()], execute=killed)
    staged = world.path("web", "next", "private_key.pem").read_bytes()
    world.settled([web(key={"type": "ed25519"})])
    assert world.path("web", "current", "private_key.pem").read_bytes() != staged


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_staged_key_that_was_cut_off_is_replaced(world: World, content: bytes) -> None:
    world.converge([web()])
    world.path("web", "next").mkdir(mode=0o700)
    world.path("web", "next", "private_key.pem").write_bytes(content)
    world.settled([NEW])
    assert world.current() == 2


def test_a_staged_key_that_nobody_needs_any_more_is_destroyed(world: World) -> None:
    world.converge([web()])
    world.path("web", "next").mkdir(mode=0o700)
    world.path("web", "next", "private_key.pem").write_bytes(b"key")
    assert steps(world.settled([web()])["identities"][0]) == ["destroy"]
    assert not world.path("web", "next").exists()


def test_an_activation_that_was_cut_off_is_completed(world: World) -> None:
    mark = world.directory / "mark"
    said = web(activate={"command": ["touch", str(mark)]})
    world.converge([said])
    mark.unlink()
    pending(world, 1, None)
    assert steps(world.settled([said])["identities"][0]) == ["activate"]
    assert mark.exists()


def test_what_is_pending_and_has_no_consumer_any_more_is_closed(world: World) -> None:
    world.converge([web()])
    pending(world, 1, None)
    assert steps(world.settled([web()])["identities"][0]) == ["publish"]
    assert not world.path("web", "pending").is_symlink()


def test_a_roll_back_that_was_cut_off_never_brings_the_failed_one_back(world: World) -> None:
    mark = world.directory / "mark"
    said = web(keep_generations=1, activate={"command": ["touch", str(mark)]})
    world.converge([said])
    unpublished(world)
    done = world.settled([said])["identities"][0]
    assert steps(done) == ["activate", "destroy"]
    assert world.generations() == [1]


def test_an_absence_that_was_cut_off_is_finished(world: World) -> None:
    world.converge([web()])
    world.path("web", "current").unlink()
    assert steps(world.settled([{"name": "web", "state": "absent"}])["identities"][0]) == ["destroy"]
    assert not world.path().exists()
