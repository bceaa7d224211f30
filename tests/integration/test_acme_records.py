# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an order of an earlier run put into a zone, or below a web root, goes with it, whatever is declared by now."""

from __future__ import annotations

import os
import signal
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._acme.reference import Reference
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness.acme import identities, options
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.name_server import KEY_NAME, SECRET, NameServer
from ansible_collections.keystead.identity.tests.harness.name_server import running as name_server
from ansible_collections.keystead.identity.tests.integration.test_acme_waiting import saying

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.faulty_proxy import FaultyProxy, Handler
    from ansible_collections.keystead.identity.tests.harness.pebble import Pebble, Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]
Body = dict[str, t.Any]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


@pytest.fixture(scope="module")
def names() -> t.Iterator[NameServer]:
    with name_server() as server:
        yield server


@pytest.fixture
def pebble(pebbles: Pebbles, names: NameServer) -> Pebble:
    names.texts.clear()
    return pebbles.one(f"records{names.port}", dns=names.port, PEBBLE_AUTHZREUSE="0")


@pytest.fixture
def proxy(pebble: Pebble) -> t.Iterator[FaultyProxy]:
    with faulty.before(pebble.url, pebble.ca_bundle, pebble.authority) as found:
        yield found


def challenge(names: NameServer, **said: t.Any) -> Body:
    key = {"key_name": KEY_NAME, "key_secret": SECRET}
    return {"dns_01": {"rfc2136": {"server": "127.0.0.1", "port": names.port, **key, **said}}}


@pytest.fixture
def issuer(pebble: Pebble, proxy: FaultyProxy, names: NameServer, tmp_path: Path) -> Body:
    said = options(pebble, tmp_path, challenge(names), directory_url=f"{proxy.url}/dir", timeout="1s")
    return {"acme": said}


def texts(names: NameServer) -> set[str]:
    """Return the names that have TXT records."""
    return {str(name).rstrip(".") for name, values in names.texts.items() if values}


def shown(one: Body) -> set[str]:
    return {f"_acme-challenge.{name}" for name in one["dns_names"]}


def killed(handler: Handler) -> None:
    """End the run that asks, as Ctrl-C would."""
    os.kill(os.getpid(), signal.SIGINT)
    handler.drop()


def kept(world: World) -> list[tuple[str, ...]]:
    """Return the names of records that the ledger has of each generation."""
    found = [Reference.of(row[0]) for row in world.query("SELECT reference FROM generations ORDER BY id")]
    return [tuple(name for name, _value in one.records) for one in found]


CHANGES: dict[str, Body] = {"other names": {}, "another key": {"key": {"type": "rsa-2048"}}}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("end", ["pending", "killed"])
def test_records_of_an_order_go_with_the_next_run_that_declares_something_else(  # noqa: PLR0913, PLR0917
    world: World, proxy: FaultyProxy, names: NameServer, issuer: Body, change: str, end: str
) -> None:
    (one,), (other,) = identities(1), identities(1, **CHANGES[change])
    if end == "pending":
        proxy.fail(saying(status="pending"), "/my-order/")
        assert "has not decided on" in world.converge([one], issuer=issuer)["msg"]
    else:
        proxy.fail(killed, "/chalZ/")
        with pytest.raises(KeyboardInterrupt):
            world.converge([one], issuer=issuer)
    assert texts(names) == shown(one)
    assert kept(world) == [tuple(shown(one))]
    proxy.heal()
    done = world.converge([other], issuer=issuer)
    assert not done.get("failed"), done.get("msg")
    assert not texts(names)
    assert kept(world) == [(), ()], "nothing is left to be known"
    assert not world.converge([other], issuer=issuer)["changed"]


def test_what_the_ledger_keeps_of_records_is_what_the_world_can_see(
    world: World, proxy: FaultyProxy, names: NameServer, issuer: Body
) -> None:
    (one,) = identities(1)
    proxy.fail(saying(status="pending"), "/my-order/")
    world.converge([one], issuer=issuer)
    ((reference,),) = world.query("SELECT reference FROM generations")
    seen = {(str(name).rstrip("."), value) for name, values in names.texts.items() for value in values}
    assert set(Reference.of(reference).records) == seen
    assert SECRET not in world.ledger.read_bytes().decode("latin-1")


def test_records_are_in_the_ledger_before_they_are_in_the_zone(
    world: World, names: NameServer, issuer: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = identities(1)
    seen: list[list[tuple[str, ...]]] = []
    asked = names.answer

    def answer(wire: bytes) -> bytes:
        seen.append(kept(world))
        return asked(wire)

    monkeypatch.setattr(names, "answer", answer)
    assert not world.converge([one], issuer=issuer).get("failed")
    assert seen[0] == [tuple(shown(one))]
    assert kept(world) == [()]


def test_what_cannot_be_taken_away_is_told_and_goes_with_a_later_run(
    world: World, proxy: FaultyProxy, names: NameServer, issuer: Body
) -> None:
    (one,), (other,), (third,) = identities(1), identities(1), identities(1)
    proxy.fail(saying(status="pending"), "/my-order/")
    world.converge([one], issuer=issuer)
    proxy.heal()
    (place,) = shown(one)
    names.locked.add(place)
    done = world.converge([other], issuer=issuer)
    names.locked.clear()
    assert not done.get("failed"), done.get("msg")
    assert [line for line in done["warnings"] if f"refuses to change {place}" in line], done["warnings"]
    assert texts(names) == {place}
    done = world.converge([third], issuer=issuer)
    assert not done.get("failed"), done.get("msg")
    assert not texts(names)
    assert "warnings" not in done or not [line for line in done["warnings"] if "record" in line]


def test_a_run_that_shows_control_in_another_way_tells_what_stays(
    world: World, proxy: FaultyProxy, issuer: Body, tmp_path: Path
) -> None:
    (one,) = identities(1)
    proxy.fail(saying(status="pending"), "/my-order/")
    world.converge([one], issuer=issuer)
    proxy.heal()
    (tmp_path / "www").mkdir()
    by_file = {"acme": {**issuer["acme"], "challenge": {"http_01": {"webroot": str(tmp_path / "www")}}}}
    said = world.converge(identities(1), issuer=by_file)["warnings"]
    (place,) = shown(one)
    stays = f"acme: the record {place} of an earlier order stays, since this task has no dns_01; take it away by hand"
    assert stays in said


def test_a_name_server_that_refuses_is_no_reason_to_begin_another_order(
    world: World, proxy: FaultyProxy, names: NameServer, issuer: Body
) -> None:
    (one,) = identities(1)
    proxy.fail(killed, "/authZ/")
    with pytest.raises(KeyboardInterrupt):
        world.converge([one], issuer=issuer)
    proxy.heal()
    names.locked.update(shown(one))
    try:
        done = world.converge([one], issuer=issuer)
    finally:
        names.locked.clear()
    assert "refuses to change" in done["msg"]
    assert sum("/order-plz" in line for line in proxy.seen) == 1
    assert not world.converge([one], issuer=issuer).get("failed")


# files


def test_files_of_an_order_whose_names_changed_go_with_the_next_one(
    world: World, proxy: FaultyProxy, issuer: Body, tmp_path: Path
) -> None:
    root = tmp_path / "www"
    root.mkdir()
    by_file = {"acme": {**issuer["acme"], "challenge": {"http_01": {"webroot": str(root)}}}}
    place = root / ".well-known/acme-challenge"
    proxy.fail(saying(status="pending"), "/my-order/")
    world.converge(identities(1), issuer=by_file)
    (first,) = place.iterdir()
    world.converge(identities(1), issuer=by_file)
    (second,) = place.iterdir()
    assert first != second


def test_a_reference_says_where_an_order_is_and_what_was_placed_for_it() -> None:
    url, records = "https://x/order/1?a=b", (("_acme-challenge.a.example.org", "v-_1"), ("b", "v2"))
    told = Reference(url, told=True)
    for one in (Reference(url), told, Reference(url, records=records), told._replace(records=records)):
        assert Reference.of(str(one)) == one
    assert Reference.of(f"{url}#told") == told, "as it was written before there were records in it"
