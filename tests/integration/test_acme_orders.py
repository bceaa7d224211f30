# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Orders of a real Pebble that get lost, are answered with something else, or meet a limit: each stands alone."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.acme import options
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.pebble import Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]
PEER = "tls_peer"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def identities(count: int, **said: t.Any) -> list[dict[str, t.Any]]:
    """Return declarations with names that no test had before."""
    stem = f"t{time.monotonic_ns():x}"
    return [web(name=f"web{n}", dns_names=[f"{stem}n{n}.example.org"], profile=PEER, **said) for n in range(count)]


def test_an_order_that_a_server_lost_is_begun_anew_and_stops_no_sibling(
    world: World, pebbles: Pebbles, tmp_path: Path
) -> None:
    pebble = pebbles.one("restarted", PEBBLE_VA_NOSLEEP="0", PEBBLE_VA_SLEEPTIME="3", PEBBLE_AUTHZREUSE="0")
    pending, *siblings = identities(3)
    first = world.converge([pending], issuer={"acme": options(pebble, tmp_path, timeout="1s")})
    assert "has not decided on" in first["msg"]
    pebble.stop()
    pebble.start()
    world.settled([pending, *siblings], issuer={"acme": options(pebble, tmp_path)})
