# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What a task returns: words, numbers, diffs; the same in check mode as afterwards."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def counted(result: dict[str, t.Any]) -> dict[str, int]:
    return {name.removeprefix("keystead_"): number for name, number in result["ansible_stats"]["data"].items()}


def test_what_happens_is_counted_in_one_word_and_foreseen_in_check_mode(world: World) -> None:
    new = web(dns_names=["new.example.org"])
    link = {str(world.links / "a"): "chain"}
    for said, word in [(web(), "issued"), (web(), "unchanged"), (new, "renewed"), ({**new, "links": link}, "changed")]:
        foreseen = word if word == "unchanged" else f"would_be_{word}"
        assert counted(world.converge([said], check=True)) == {foreseen: 1}
        assert counted(world.converge([said])) == {word: 1}


def test_a_record_has_the_facts_of_the_certificate(world: World) -> None:
    record = world.one(web(common_name="web.example.org"))
    found, real = record["certificate"], world.certificate()
    assert int(found["serial_number"].replace(":", ""), 16) == real.serial_number
    assert found["subject"] == "CN=web.example.org"
    assert found["dns_names"] == ["web.example.org"]
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", found["not_after"])
    assert (record["name"], record["msg"], record["generation"]) == ("web", "", 1)


def test_a_record_of_what_is_not_there_has_no_certificate_and_no_paths(world: World) -> None:
    record = world.one({"name": "web", "state": "absent"})
    assert (record["certificate"], record["paths"], record["generation"], record["steps"]) == (None, {}, None, [])


def test_a_failure_names_the_identity_even_where_its_name_is_a_letter(world: World) -> None:
    (world.links / "x").write_text("precious")
    result = world.converge([web(name="a", links={str(world.links / "x"): "chain"}), web(name="b")])
    assert result["msg"].startswith("host: ")
    assert result["msg"].endswith("or say replace_files: true for a")


def test_what_goes_wrong_for_many_is_said_once(world: World) -> None:
    (port,) = free_ports(1)
    nowhere = {"url": f"https://127.0.0.1:{port}", "mount": "pki", "role": "web", "auth": {"token": {"token": "none"}}}
    many = [web(name=f"b{number}", dns_names=[f"b{number}.example.org"]) for number in range(5)]
    result = world.converge(many, issuer={"openbao": nowhere})
    assert result["msg"].startswith("b0, b1, b2 and 2 more: openbao: ")
    assert result["msg"].count("openbao: ") == 1
    assert [f"b0, b1, b2 and 2 more: {one['msg']}" for one in result["identities"]] == [result["msg"]] * 5


def test_a_diff_tells_drift_pending_and_the_generation_that_is_asked_for(world: World) -> None:
    world.converge([web(keep_generations=1)])
    world.path("web", "1", "private_key.pem").chmod(0o640)
    (shown,) = world.converge([web(keep_generations=1)], check=True, diff=True)["diff"]
    assert "finding: the mode of private_key.pem is 0640, not 0600" in shown["before"]
    world.converge([web(keep_generations=1, dns_names=["new.example.org"])])
    back = web(keep_generations=1, generation="previous")
    (shown,) = world.converge([back], check=True, diff=True)["diff"]
    assert ("generation: 2" in shown["before"], "generation: 1" in shown["after"]) == (True, True)
    assert world.converge([back], diff=True)["diff"] == [shown]


def test_a_diff_of_an_absence_ends_in_nothing(world: World) -> None:
    link = world.links / "a"
    world.converge([web(links={str(link): "chain"})])
    (shown,) = world.converge([{"name": "web", "state": "absent"}], check=True, diff=True)["diff"]
    assert shown["after"] == ""
    assert f"link: {link}" in shown["before"]


def test_without_diff_there_is_none(world: World) -> None:
    assert "diff" not in world.converge([web()])
