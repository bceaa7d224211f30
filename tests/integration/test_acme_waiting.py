# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Orders of a real Pebble that wait from run to run: told with where they are, and given up when they are over."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import moment, stamp
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness.acme import Backend, identities
from ansible_collections.keystead.identity.tests.harness.in_process import World

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.faulty_proxy import FaultyProxy, Handler
    from ansible_collections.keystead.identity.tests.harness.pebble import Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]
Body = dict[str, t.Any]
GONE = {"type": "urn:ietf:params:acme:error:malformed", "detail": "no such order"}


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


@pytest.fixture
def issuer(backend: Backend, proxy: FaultyProxy) -> Body:
    return {"acme": backend.through(proxy.url, timeout="1s")}


def saying(**said: t.Any) -> faulty.Fault:
    """Return a fault that changes members of the object of an answer."""

    def fault(handler: Handler) -> None:
        reply = handler.forward()
        body = {**json.loads(reply.body), **said}
        handler.reply(reply._replace(body=json.dumps(body).encode()))

    return fault


def waiting(world: World, proxy: FaultyProxy, issuer: Body, wanted: list[Body]) -> str:
    """Let a run leave an order that the server has not decided on; return where it is."""
    proxy.fail(saying(status="pending"), "/my-order/")
    said = world.converge(wanted, issuer=issuer)["msg"]
    found = re.search(r"its order (https://\S+/my-order/\S+) waits since", said)
    assert found, said
    proxy.heal()
    return found[1]


def later(world: World, hours: float) -> None:
    """Let time pass since whatever the ledger has."""
    with contextlib.closing(sqlite3.connect(world.ledger)) as connection, connection:
        for table, column in (("generations", "intended_at"), ("heads", "at")):
            for (said,) in connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall():
                back = stamp(moment(said) - timedelta(hours=hours))
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (back, said))


def path(url: str) -> str:
    return url[url.index("/my-order/") :]


def states(world: World) -> list[tuple[str, str]]:
    """Return the state, and the path of the order, of every generation."""
    found = world.query("SELECT state, reference FROM generations ORDER BY id")
    return [(state, path(reference.partition("#")[0])) for state, reference in found]


def test_a_pending_order_is_told_with_its_url_and_since_when_it_waits(
    world: World, proxy: FaultyProxy, issuer: Body
) -> None:
    wanted = identities(1)
    url = waiting(world, proxy, issuer, wanted)
    later(world, 3)
    proxy.fail(saying(status="pending"), "/my-order/")
    said = world.converge(wanted, issuer=issuer)["msg"]
    since = datetime.now(UTC) - timedelta(hours=3)
    assert re.fullmatch(
        rf"acme: it has not decided on web0 yet: its order {re.escape(url)} waits since "
        rf"({since:%Y-%m-%d %H:%M}|{since - timedelta(minutes=1):%Y-%m-%d %H:%M}) UTC, for 3h; run again later",
        said,
    ), said


def test_an_order_that_has_expired_is_given_up_and_another_one_is_begun_in_the_same_run(
    world: World, proxy: FaultyProxy, issuer: Body
) -> None:
    wanted = identities(1)
    old = waiting(world, proxy, issuer, wanted)
    proxy.fail(saying(status="pending", expires="2026-01-31T09:00:00.5+01:00"), path(old))
    done = world.converge(wanted, issuer=issuer)
    assert not done.get("failed"), done.get("msg")
    assert f"web0: acme: its order {old} expired on 2026-01-31 08:00 UTC; another one was begun" in done["warnings"]
    (refused, current) = states(world)
    assert refused == ("refused", path(old)), "nothing was signed: it never came that far"
    assert current[0] == "current"
    assert current[1] != path(old)
    ((message,),) = world.query("SELECT message FROM events WHERE outcome = 'failed'")
    assert message == f"acme: its order {old} expired on 2026-01-31 08:00 UTC"
    assert not world.converge(wanted, issuer=issuer)["changed"]


def test_an_order_that_is_gone_may_have_been_signed_and_stays_on_record_as_that(
    world: World, proxy: FaultyProxy, issuer: Body
) -> None:
    wanted = identities(1)
    old = waiting(world, proxy, issuer, wanted)
    proxy.fail(faulty.says(404, {}), path(old))
    done = world.converge(wanted, issuer=issuer)
    assert not done.get("failed"), done.get("msg")
    assert f"web0: acme: there is nothing for its order {old} for web0; another one was begun" in done["warnings"]
    assert states(world)[0] == ("orphaned", path(old))
    assert states(world)[1][0] == "current"
    ((message,),) = world.query("SELECT message FROM events WHERE outcome = 'orphaned'")
    told = rf"acme: there is nothing for its order {re.escape(old)} for web0; it may be signed, for key [0-9a-f]{{64}}"
    assert re.fullmatch(f"{told} and {re.escape(wanted[0]['dns_names'][0])}", message)


def test_an_order_that_the_server_calls_invalid_ends_as_refused(
    world: World, proxy: FaultyProxy, issuer: Body
) -> None:
    wanted = identities(1)
    old = waiting(world, proxy, issuer, wanted)
    proxy.fail(saying(status="invalid", error={"detail": "the account was told to stop"}), path(old))
    done = world.converge(wanted, issuer=issuer)
    assert not done.get("failed"), done.get("msg")
    assert [one for one in done["warnings"] if "(the account was told to stop)" in one and old in one], done["warnings"]
    assert [state for state, _order in states(world)] == ["refused", "current"]


def test_an_order_that_was_signed_for_other_names_than_are_wanted_now_is_an_orphan(
    world: World, proxy: FaultyProxy, issuer: Body
) -> None:
    proxy.fail(faulty.Handler.drop, "/certZ/")
    (one,), (other,) = identities(1), identities(1)
    assert world.converge([one], issuer=issuer)["failed"]
    proxy.heal()
    done = world.converge([other], issuer=issuer)
    assert not done.get("failed"), done.get("msg")
    assert [state for state, _order in states(world)] == ["orphaned", "current"]
    assert [one for one in done["warnings"] if "is for other names; another one was begun" in one], done["warnings"]
    ((message,),) = world.query("SELECT message FROM events WHERE outcome = 'orphaned'")
    assert message.endswith(f" and {one['dns_names'][0]}"), "not the names of today"


def test_an_order_without_an_end_that_can_be_read_goes_on(world: World, proxy: FaultyProxy, issuer: Body) -> None:
    wanted = identities(1)
    old = waiting(world, proxy, issuer, wanted)
    for expires in ("soon", None, 7, "9999-12-31T23:59:59Z"):
        proxy.fail(saying(status="pending", expires=expires), path(old))
        assert old in world.converge(wanted, issuer=issuer)["msg"]
    proxy.heal()
    assert not world.converge(wanted, issuer=issuer).get("failed")
    assert states(world) == [("current", path(old))]
