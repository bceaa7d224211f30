# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger remembers: the very record of the host, PEM, and one sentence for what it does not know."""

from __future__ import annotations

import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.plugin_utils._recall import Asked, recall
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def ask(world: World, *names: str, **said: t.Any) -> list[t.Any]:
    return recall({"ledger": world.url}, names or ("web",), Asked(**{"host": HOST, **said}))


def refusal(world: World, *names: str, **said: t.Any) -> str:
    with pytest.raises(KeysteadError) as caught:
        ask(world, *names, **said)
    return str(caught.value)


def test_the_record_is_that_of_the_task_with_what_only_the_ledger_knows(world: World) -> None:
    link = {str(world.links / "web.pem"): "fullchain"}
    told = world.one(web(links=link, contact="me@example.org", service="shop", labels={"tier": "1"}), scope="front")
    (record,) = ask(world)
    assert {name: record[name] for name in ("name", "generation", "certificate", "paths")} == {
        name: told[name] for name in ("name", "generation", "certificate", "paths")
    }
    assert (record["host"], record["store"], record["links"]) == (HOST, str(world.store), list(link))
    assert (record["contact"], record["service"], record["scope"]) == ("me@example.org", "shop", "front")
    assert (record["state"], record["kind"], record["labels"]) == ("present", "x509", {"tier": "1"})
    assert (record["key_type"], record["custody"], record["revoked"]) == ("ecdsa-p256", "file", None)
    assert record["issuer_id"].startswith("local:issuing:")


def test_the_parts_are_the_files_that_the_host_has_and_the_newest_ones(world: World, tmp_path: Path) -> None:
    issuer = {"local": local.two_tiers(tmp_path / "two")}
    world.converge([web()], issuer=issuer)
    world.converge([web(lifetime="20d")], issuer=issuer)
    for part in ("certificate", "chain", "fullchain"):
        assert ask(world, part=part) == [world.path("web", "current", f"{part}.pem").read_text(encoding="ascii")]
    assert ask(world, part="chain") != [""]


def test_answers_come_in_the_order_of_the_names(world: World) -> None:
    world.converge([web(), {"name": "api", "dns_names": ["api.example.org"]}])
    assert [one["name"] for one in ask(world, "web", "api", "web")] == ["web", "api", "web"]


def test_nothing_is_touched(world: World) -> None:
    world.one(web())
    before = world.snapshot()
    ask(world)
    ask(world, part="fullchain")
    refusal(world, "none")
    assert world.snapshot() == before


def test_an_identity_that_is_gone_has_a_record_and_no_certificate(world: World) -> None:
    world.one(web())
    world.one({"name": "web", "state": "absent"})
    (record,) = ask(world)
    assert (record["state"], record["generation"], record["certificate"], record["paths"]) == ("absent", None, None, {})
    assert refusal(world, part="chain").endswith(f"identity web of host {HOST} has no chain: it is absent")


def test_the_reason_of_a_revocation_is_in_the_record(world: World) -> None:
    world.one(web())
    with sqlite3.connect(world.ledger) as connection:
        connection.execute("UPDATE generations SET state = 'revoked', revocation_reason = 'superseded'")
    connection.close()
    assert ask(world)[0]["revoked"] == "superseded"


def test_a_name_in_two_stores_needs_the_store(world: World, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    world.one(web())
    world.one(web(), store=other)
    assert "set option store to one of them" in refusal(world)
    assert ask(world, store=other)[0]["store"] == other


@pytest.mark.parametrize(
    ("names", "said", "message"),
    [
        (("wep",), {}, "the ledger knows no identity 'wep' of host web1.example.org; did you mean web?"),
        (("zz",), {}, "no identity 'zz' of host web1.example.org; it knows web"),
        (("web",), {"host": "db"}, "knows no identity of host db; set option host as the inventory names it"),
        (("web",), {"store": "/srv"}, "store /srv; set option host as the inventory names it, and option store as"),
    ],
)
def test_what_the_ledger_does_not_know_is_said_with_what_it_does(
    world: World, names: tuple[str, ...], said: dict[str, str], message: str
) -> None:
    world.one(web())
    assert message in refusal(world, *names, **said)


def test_a_ledger_that_is_not_there_or_none_at_all_is_an_error(world: World) -> None:
    assert f"there is no ledger at {world.url}; set option ledger to the one of your tasks" in refusal(world)
    world.ledger.write_text("x" * 9999, encoding="ascii")
    assert "is not a ledger; restore it from a backup, or correct option ledger" in refusal(world)
    world.ledger.unlink()
    world.ledger.mkdir()
    assert "is a directory; set option ledger to a file in it" in refusal(world)


def test_a_damaged_certificate_in_the_ledger_is_one_sentence(world: World) -> None:
    world.one(web())
    with sqlite3.connect(world.ledger) as connection:
        connection.execute("UPDATE x509 SET certificate = 'x'")
    connection.close()
    assert refusal(world) == "ledger: it holds a certificate that cannot be read; put a backup in its place"
