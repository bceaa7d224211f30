# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Orders of a real Pebble that get lost, are answered with something else, or meet a limit: each stands alone."""

from __future__ import annotations

import functools
import json
import os
import signal
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Pending, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Order
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.acme import PEER, Backend, identities, options
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.issuers import Made, answers, check_sentence, refusal, settled
from ansible_collections.keystead.identity.tests.harness.name_server import KEY_NAME, SECRET
from ansible_collections.keystead.identity.tests.harness.name_server import running as name_server

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.faulty_proxy import FaultyProxy, Handler
    from ansible_collections.keystead.identity.tests.harness.name_server import NameServer
    from ansible_collections.keystead.identity.tests.harness.pebble import Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


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
    pebble = pebbles.one("restarted", PEBBLE_VA_NOSLEEP="0", PEBBLE_VA_SLEEPTIME="10", PEBBLE_AUTHZREUSE="0")
    wanted = identities(9)
    first = world.converge(wanted[:6], issuer={"acme": options(pebble, tmp_path, timeout="1s")})
    assert "has not decided on" in first["msg"], "each waits for up to ten seconds, so one of them does"
    pebble.stop()
    pebble.start()
    world.settled(wanted, issuer={"acme": options(pebble, tmp_path)})


def test_what_did_not_fit_is_not_ordered_again_by_the_next_run(world: World, backend: Backend) -> None:
    pebble, wanted = backend.pebble, identities(1)
    wrong = backend.options(roots=[str(pebble.ca_bundle)])
    assert "not signed by a pinned root" in world.converge(wanted, issuer={"acme": wrong})["msg"]
    orders = pebble.count("POST /order-plz")
    said = world.converge(wanted, issuer={"acme": wrong})["msg"]
    assert said.startswith("acme: it is not asked for web0 again before ")
    assert pebble.count("POST /order-plz") == orders
    world.settled(wanted, issuer={"acme": backend.options()})


# records


def by_update(names: NameServer) -> dict[str, t.Any]:
    said = {"server": "127.0.0.1", "port": names.port, "key_name": KEY_NAME, "key_secret": SECRET}
    return {"dns_01": {"rfc2136": said}}


def texts(names: NameServer) -> set[str]:
    """Return all TXT records that are there."""
    return {value for values in names.texts.values() for value in values}


def interrupted(do: Callable[[Handler], object]) -> faulty.Fault:
    """Return a fault that does something and then ends the run that asks, as Ctrl-C would."""

    def fault(handler: Handler) -> None:
        do(handler)
        os.kill(os.getpid(), signal.SIGINT)
        handler.drop()

    return fault


def unseen(handler: Handler, names: NameServer) -> None:
    """Let the server look while nothing is there to be seen."""
    kept = dict(names.texts)
    names.texts.clear()
    handler.forward()
    time.sleep(0.5)
    names.texts.update(kept)


@pytest.mark.parametrize("shown", [True, False])
def test_records_of_a_run_that_was_killed_go_with_the_next_whatever_the_server_saw(
    pebbles: Pebbles, tmp_path: Path, *, shown: bool
) -> None:
    with name_server() as names:
        pebble = pebbles.one(f"killed{names.port}", dns=names.port, PEBBLE_AUTHZREUSE="0")
        with faulty.before(pebble.url, pebble.ca_bundle, pebble.authority) as proxy:
            looked = faulty.Handler.forward if shown else functools.partial(unseen, names=names)
            proxy.fail(interrupted(looked), "/chalZ/")
            said = options(pebble, tmp_path, by_update(names), directory_url=f"{proxy.url}/dir")
            made = Made("acme", Backend(tmp_path, pebbles))
            killed = made.issuer(said)
            (order,) = killed.begin([make.request(subject(), profile=PEER)])
            assert isinstance(order, Order)
            with pytest.raises(KeyboardInterrupt):
                killed.finish([order])
            assert texts(names)
            proxy.heal()
            (answer,) = made.issuer(said).finish([order])
        assert isinstance(answer, Generation if shown else Denied), answer
        assert not texts(names)


# limits

LIMIT = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates for this name"}


def limited(times: int, proxy: FaultyProxy, backend: Backend, when: str) -> list[t.Any]:
    """Return the answers to four requests of which so many meet a limit."""
    proxy.fail(faulty.says(429, LIMIT, Retry_After="3600"), when, times)
    issuer = Made("acme", backend).issuer(backend.through(proxy.url))
    return answers(issuer, *(make.request(subject(), profile=PEER, number=n) for n in range(4)))


@pytest.mark.parametrize("when", ["/order-plz", "/finalize-order/"])
def test_a_limit_for_one_name_stops_no_sibling(backend: Backend, proxy: FaultyProxy, when: str) -> None:
    first, *others = limited(1, proxy, backend, when)
    assert isinstance(first, Pending)
    assert "too many certificates for this name" in str(first)
    assert all(isinstance(one, Generation) for one in others), others


def test_a_limit_for_all_is_met_twice_and_no_more(backend: Backend, proxy: FaultyProxy) -> None:
    assert all(isinstance(one, Pending) for one in limited(99, proxy, backend, "/order-plz"))
    assert sum("/order-plz" in one for one in proxy.seen) == 2


# servers that say strange things


def test_a_server_that_accepts_no_nonce_is_not_asked_without_end(backend: Backend, proxy: FaultyProxy) -> None:
    problem = {"type": "urn:ietf:params:acme:error:badNonce", "detail": "no"}
    proxy.fail(faulty.says(400, problem, Replay_Nonce="abcdefgh"), "/order-plz")
    issuer = Made("acme", backend).issuer(backend.through(proxy.url))
    error = refusal(issuer, make.request(subject(), profile=PEER))
    assert isinstance(error, Unavailable)
    assert "nonces for an order for web; run again, and look" in check_sentence(error, "acme")
    assert sum("/order-plz" in one for one in proxy.seen) <= 20


def test_a_server_that_wants_to_be_asked_again_at_once_is_asked_with_pauses(
    backend: Backend, proxy: FaultyProxy
) -> None:
    def undecided(handler: Handler) -> None:
        reply = handler.forward()
        said = {**json.loads(reply.body), "status": "pending"}
        handler.reply(faulty.Reply(200, {**reply.headers, "Retry-After": "0"}, json.dumps(said).encode()))

    proxy.fail(undecided, "/my-order/")
    issuer = Made("acme", backend).issuer(backend.through(proxy.url))
    (order,) = issuer.begin([make.request(subject(), profile=PEER)])
    (left,) = issuer.finish([t.cast("Order", order)])
    assert isinstance(left, Order)
    assert sum("/my-order/" in one for one in proxy.seen) < 15


@pytest.mark.parametrize("port", ["99999", "0", "-1", "x"])
def test_a_port_that_is_none_is_not_asked_for_an_order(backend: Backend, proxy: FaultyProxy, port: str) -> None:
    proxy.fail(changed(lambda said: said.update(newOrder=f"https://127.0.0.1:{port}/order-plz")), "/dir")
    issuer = Made("acme", backend).issuer(backend.through(proxy.url))
    error = refusal(issuer, make.request(subject(), profile=PEER))
    assert "its URL cannot be understood; run again, and look whether" in check_sentence(error, "acme")
