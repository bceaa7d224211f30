# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Strange bytes on a host: observing and deciding end in an answer or in one sentence, and soon."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.plugin_utils._edge import told
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.unit.fuzz import strange

if t.TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "web/1/private_key.pem": 80, "web/1/certificate.pem": 200, "web/1/chain.pem": 10, "web/1/fullchain.pem": 20,
    "web/1/combined.pem": 20, "web/1/roots.pem": 10, "web/1/generation.json": 150, ".keystead.json": 100,
    "web/lease.json": 60,
}  # fmt: skip
PENDING = b"[1, null, true]"
LEASE = b'{"token": "x", "until": 1e12, "holder": {"controller": "c", "boot": "b", "pid": 1, "started": "1"}}'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a world with one identity in place."""
    directory = tmp_path_factory.mktemp("fuzz")
    local.two_tiers(directory / "authorities")
    world = World(directory)
    assert not world.converge([web()]).get("failed")
    return world


def look(world: World, *, check: bool = True) -> dict[str, t.Any]:
    """Run the task, and see that it ends in time, with an answer or a sentence that a terminal may show."""
    with strange.Stopwatch():
        result = told("machine_identity", lambda: world.converge([web()], check=check, diff=True))
    message = str(result.get("msg", ""))
    assert "please report it" not in message, message
    assert message.isprintable()
    assert all(one.isprintable() or one == "\n" for part in result.get("diff", ()) for one in part["before"])
    return result


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_store_may_hold_anything(world: World, name: str) -> None:
    path = world.store / name
    kept = path.read_bytes() if path.exists() else None
    pattern = kept or LEASE
    try:
        for content in strange.mutated(pattern, FILES[name]):
            path.write_bytes(content)
            look(world)
    finally:
        path.unlink() if kept is None else path.write_bytes(kept)
    assert look(world)["changed"] is False


def test_the_record_of_what_is_pending_may_lead_anywhere(world: World) -> None:
    path = world.store / "web" / "pending"
    for content in strange.mutated(PENDING, 60):
        if 0 < len(content) < 4096 and b"\0" not in content:  # what the target of a link can be
            path.symlink_to(os.fsdecode(content))
            look(world)
            path.unlink()
    assert look(world)["changed"] is False


def test_a_lease_may_hold_anything(tmp_path: Path) -> None:
    from ansible_collections.keystead.identity.plugins.module_utils._host.directories import open_directory
    from ansible_collections.keystead.identity.plugins.module_utils._host.lease import release, standing, take

    directory = open_directory(str(tmp_path))
    for content in strange.mutated(LEASE, 150):
        (tmp_path / "lease.json").write_bytes(content)
        with strange.Stopwatch():
            said = ""
            try:
                standing(directory)
                release(directory, take(directory, holder={}, now=1e9, seconds=60).token)
            except KeysteadError as error:  # it stands, or is too large
                said = str(error)
            assert said.isprintable()


@pytest.mark.parametrize("target", ["2", "\u00b2", "1\u0660", "007", "0", "9" * 200, "-1", "..", "/etc", "1/", ""])
def test_current_may_lead_anywhere(world: World, target: str) -> None:
    current = world.path("web", "current")
    current.unlink()
    try:
        if target:
            current.symlink_to(target)
        look(world)
    finally:
        current.unlink(missing_ok=True)
        current.symlink_to("1")


@pytest.mark.parametrize("name", ["\u00b2", "\u0661", "007", "0", "99999999999999", "9" * 200, "1 ", "x\x1b[2J"])
def test_a_directory_beside_the_generations_may_have_any_name(world: World, name: str) -> None:
    directory = world.path("web", name)
    directory.mkdir()
    try:
        assert look(world)["identities"][0]["generation"] == 1
    finally:
        directory.rmdir()


@pytest.mark.parametrize("weird", strange.WEIRD)
def test_a_weird_certificate_in_the_store_is_a_reason_to_replace_it(world: World, weird: str) -> None:
    path = world.path("web", "1", "certificate.pem")
    kept = path.read_bytes()
    path.write_bytes(strange.pem(strange.WEIRD[weird]))
    try:
        result = look(world)
        assert not result.get("failed"), result["msg"]
        assert result["identities"][0]["steps"][0]["action"] == "stage_key"
    finally:
        path.write_bytes(kept)


@pytest.mark.parametrize("weird", strange.WEIRD)
def test_a_weird_certificate_is_parsed_or_refused_as_a_value(weird: str) -> None:
    with strange.Stopwatch():
        try:
            found = pki.credential(strange.WEIRD[weird])
        except ValueError:
            return
    assert found.facts.subject_name.isprintable()
    assert all(one.isprintable() for one in found.facts.subject.dns_names)


def test_a_thousand_mutated_certificates_are_parsed_or_refused_as_values(world: World) -> None:
    good = world.path("web", "1", "certificate.pem").read_bytes()
    for content in strange.mutated(good, 1000):
        try:
            for one in pki.der_certificates(content):
                pki.credential(one)
        except ValueError:
            continue
