# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""standalone_port where several need it: siblings that are still pending, and runs at the same time."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.acme import identities, options
from ansible_collections.keystead.identity.tests.harness.in_process import World, until

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.pebble import Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def gone(world: World) -> None:
    """Wait until nothing is shown any more."""
    until(lambda: not list((world.store / ".challenges").iterdir()))


def test_who_is_installed_first_ends_no_listener_of_those_that_are_pending(
    world: World, pebbles: Pebbles, tmp_path: Path
) -> None:
    pebble = pebbles.one("listened", PEBBLE_VA_NOSLEEP="0", PEBBLE_VA_SLEEPTIME="10", PEBBLE_AUTHZREUSE="0")
    challenge = {"http_01": {"standalone_port": pebble.http_port}}
    issuer, wanted = {"acme": options(pebble, tmp_path, challenge, timeout="8s")}, identities(20)
    result = world.converge(wanted, issuer=issuer)
    assert "has not decided on" in result["msg"]
    assert any(not record["failed"] for record in result["identities"])
    time.sleep(10)  # now it looks at those
    world.settled(wanted, issuer=issuer)
    assert pebble.count("POST /order-plz") == len(wanted)
    gone(world)


def test_two_runs_at_one_host_share_a_listener(world: World, pebbles: Pebbles, tmp_path: Path) -> None:
    pebble = pebbles.one("shared", PEBBLE_AUTHZREUSE="0")
    challenge = {"http_01": {"standalone_port": pebble.http_port}}
    issuer, (first, second) = {"acme": options(pebble, tmp_path, challenge)}, identities(2)
    ran: list[dict[str, t.Any]] = []

    def execute(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        answer = world.execute(arguments)
        if arguments["phase"] == "respond":
            ran.append(world.converge([second], issuer=issuer))
        return answer

    result = world.converge([first], issuer=issuer, execute=execute)
    for one in (*ran, result):
        assert not one.get("failed"), one["msg"]
    assert len(ran) == 1
    assert pebble.count("POST /order-plz") == 2
    gone(world)
