# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Store and ledger of release 0.1.0, kept in tests/fixtures/0.1.0, are read and gone on with by this release."""

from __future__ import annotations

import shutil
import sqlite3
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import INFO
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils import _info
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import MIGRATIONS
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web

LEFT = Path(__file__).resolve().parents[1] / "fixtures" / "0.1.0"
THERE = "/tmp/keystead-0.1.0"  # noqa: S108 - where it was made, so what the ledger says
LIFETIME = "36500d"
LENIENT = "format: 1\nrules: []\n"  # nobody may declare such a life today


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a copy with the modes that git does not keep, and the links, where the ledger says they are."""
    shutil.copytree(LEFT, tmp_path, symlinks=True, dirs_exist_ok=True)
    for path in tmp_path.rglob("*"):
        if not path.is_symlink():
            secret = path.name in ("private_key.pem", "combined.pem", "ledger.sqlite")
            path.chmod(0o755 if path.is_dir() else 0o600 if secret else 0o644)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE identities SET store = replace(store, ?, ?)", (THERE, str(tmp_path)))
        ledger.execute("UPDATE deliveries SET path = replace(path, ?, ?)", (THERE, str(tmp_path)))
    ledger.close()
    (tmp_path / "policy.yml").write_text(LENIENT, encoding="utf-8")
    world = World(tmp_path)
    for path, part in declared(world)["links"].items():
        Path(path).symlink_to(f"{world.store}/web/current/{part}.pem")
    return world


def settled(world: World, identities: list[dict[str, t.Any]], **options: t.Any) -> dict[str, t.Any]:
    """Run the task until nothing is left to do, under a policy that lets long lives pass."""
    return world.settled(identities, policy=str(world.directory / "policy.yml"), **options)


def declared(world: World, **said: t.Any) -> dict[str, t.Any]:
    """Return the declaration that release 0.1.0 was given."""
    links = {str(world.links / "web.pem"): "fullchain", str(world.links / "web.key"): "private_key"}
    return {
        **web(links=links, lifetime=LIFETIME, keep_generations=1, contact="team@example.org", service="shop"),
        "dns_names": ["web.example.org", "www.example.org"],
        **said,
    }


def test_the_ledger_is_whole_and_can_be_read_and_written(world: World) -> None:
    for read_only in (True, False):
        ledger = open_ledger(world.url, read_only=read_only)
        assert verify(ledger) is None
        last = [event["action"] for event in queries.events(ledger, identity="old")][-3:]
        assert last == ["revoke", "destroy", "revoke"]
        ledger.close()
    known, old = world.remembered(), world.remembered("old")
    assert (known.state, known.generation, known.newest, known.scope) == ("present", 2, 2, "shop")
    assert (known.contact, known.service, known.open_intent) == ("team@example.org", "shop", None)
    assert known.links == tuple(sorted(declared(world)["links"]))
    assert known.certificate == world.path("web", "2", "certificate.pem").read_text()
    assert (old.state, old.generation, old.last) == ("absent", None, 1)
    assert old.revoked == ((old.credential_id, "cessation_of_operation"),)


def test_the_ledger_gets_what_this_release_keeps_beside_and_loses_nothing(world: World) -> None:
    before = world.query("SELECT * FROM events ORDER BY seq")
    for read_only in (True, False):
        ledger = open_ledger(world.url, read_only=read_only)
        assert queries.backend_keys(ledger) == []
        assert ledger.read("SELECT number FROM migrations ORDER BY number")[:2] == [(1,), (2,)]
        ledger.close()
        with sqlite3.connect(world.ledger) as file:
            assert file.execute("PRAGMA user_version").fetchone() == (1 if read_only else len(MIGRATIONS),)
        file.close()
    assert world.query("SELECT * FROM events ORDER BY seq") == before


def test_everything_in_the_store_is_found_and_found_whole(world: World) -> None:
    said = {"ledger": world.url, "store": str(world.store), "policy": str(world.directory / "policy.yml")}
    args = validated(said, spec(COMMON, INFO), module="info")
    unused = {"ledger_id": None, "deadline": 0, "holder": None, "broken": None}  # what a module's defaults say

    def execute(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        return world.execute({**unused, **arguments})

    seen = _info.look(args, Task(world.host, None, check=False, diff=False, execute=execute, say=world.said.append))
    (record,) = seen["identities"]
    assert (record["name"], record["generation"], record["kept_generations"]) == ("web", 2, [1])
    assert (record["findings"], record["failed"]) == ([], False)
    assert record["links"] == sorted(declared(world)["links"])
    assert record["certificate"]["dns_names"] == ["web.example.org", "www.example.org"]
    assert seen["warnings"] == []


def test_nothing_is_to_do(world: World) -> None:
    both = [declared(world), {"name": "old", "state": "absent", "revoke_on_absent": True}]
    done = settled(world, both, scope="shop", purge=True)
    assert (done["changed"], [steps(one) for one in done["identities"]]) == (False, [[], []])


def test_a_renewal_goes_on_where_it_left_off(world: World) -> None:
    done = settled(world, [declared(world, dns_names=["new.example.org"])], scope="shop")["identities"][0]
    assert "names differ" in reason(done)
    assert (world.current(), world.generations()) == (3, [2, 3])
    ledger = open_ledger(world.url, read_only=True)
    assert verify(ledger) is None
    ledger.close()


def test_its_first_generation_can_be_made_the_current_one(world: World) -> None:
    done = settled(world, [declared(world, dns_names=["web.example.org"], generation="previous")], scope="shop")
    assert steps(done["identities"][0]) == ["publish"]
    assert world.current() == 1


def test_it_can_be_withdrawn_and_revoked(world: World) -> None:
    certificate = world.certificate()
    settled(world, [{"name": "web", "state": "absent", "revoke_on_absent": True}])
    assert world.is_revoked(certificate)
    assert list(world.links.iterdir()) == []
