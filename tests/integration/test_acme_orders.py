# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Orders of a real Pebble that get lost, are answered with something else, or meet a limit: each stands alone."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.acme import Backend, options
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.issuers import Made, check_sentence, refusal, settled
from ansible_collections.keystead.identity.tests.harness.name_server import KEY_NAME, SECRET
from ansible_collections.keystead.identity.tests.harness.name_server import running as name_server

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.faulty_proxy import FaultyProxy, Handler
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


@pytest.fixture
def backend(pebbles: Pebbles, tmp_path: Path) -> Backend:
    return Backend(tmp_path, pebbles)


@pytest.fixture
def proxy(backend: Backend) -> t.Iterator[FaultyProxy]:
    with faulty.before(*backend.upstream) as found:
        yield found


def changed(change: Callable[[dict[str, t.Any]], object]) -> faulty.Fault:
    """Return a fault that changes the object of an answer."""

    def fault(handler: Handler) -> None:
        reply = handler.forward()
        said = json.loads(reply.body)
        change(said)
        handler.reply(reply._replace(body=json.dumps(said).encode()))

    return fault


def subject(count: int = 1) -> Subject:
    """Return names that no test had before."""
    return Subject(dns_names=tuple(f"t{time.monotonic_ns():x}n{n}.example.org" for n in range(count)))


OTHER = "its authorization is for another name than web has; look at the server"
NAMES = ["x.example.org\n$(touch PWNED)", "x.example.org", "a" * 64 + ".example.org", "a..example.org", "\0", "", "."]


@pytest.mark.parametrize("way", ["command", "rfc2136"])
@pytest.mark.parametrize("name", [*NAMES, 7, None])
def test_no_name_of_a_servers_choice_comes_to_a_command_or_a_name_server(
    backend: Backend, proxy: FaultyProxy, tmp_path: Path, name: t.Any, way: str
) -> None:
    called = tmp_path / "called"
    proxy.fail(changed(lambda said: said.update(identifier={"type": "dns", "value": name})), "/authZ/")
    with name_server() as names:
        ways: dict[str, t.Any] = {
            "command": ["/bin/sh", "-c", 'echo "$@" >> "$0"', str(called)],
            "rfc2136": {"server": "127.0.0.1", "port": names.port, "key_name": KEY_NAME, "key_secret": SECRET},
        }
        issuer = Made("acme", backend).issuer(backend.through(proxy.url, challenge={"dns_01": {way: ways[way]}}))
        error = refusal(issuer, make.request(subject(), profile=PEER))
        assert not names.taken
    assert isinstance(error, Denied)
    assert OTHER in check_sentence(error, "acme")
    assert not called.exists()


def test_a_server_that_writes_a_name_in_capitals_means_the_same_name(backend: Backend, proxy: FaultyProxy) -> None:
    proxy.fail(changed(lambda said: said["identifier"].update(value=said["identifier"]["value"].upper())), "/authZ/")
    issuer = Made("acme", backend).issuer(backend.through(proxy.url))
    settled(issuer, make.request(subject(2), profile=PEER))


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
