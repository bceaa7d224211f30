# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The server of the ledger dies in the middle of a run: nothing is issued unrecorded, and the next run heals (A1)."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR, postgres

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = [pytest.mark.needs("postgres"), pytest.mark.one_core]


@pytest.fixture(scope="module")
def server() -> t.Iterator[Server]:
    """Return a server that these tests may kill."""
    with postgres() as running:
        yield running


@pytest.fixture
def options(server: Server) -> dict[str, str]:
    return server.options(server.ledger())


def dying(world: World, server: Server, *, after: str) -> t.Callable[[dict[str, t.Any]], dict[str, t.Any]]:
    """Return a way to the host; when that has answered this phase, the server is dead."""

    def way(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        answer = world.execute(arguments)
        if arguments["phase"] == after:
            server.stop()
        return answer

    return way


def events(options: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    ledger = open_for(options)
    try:
        assert verify(ledger) is None
        return [(event["action"], event["outcome"]) for event in queries.events(ledger)]
    finally:
        ledger.close()


@pytest.mark.parametrize("renewal", [False, True], ids=["the first", "a renewal"])
def test_when_the_server_dies_before_the_intent_nothing_is_issued(
    tmp_path: Path, server: Server, options: dict[str, str], *, renewal: bool
) -> None:
    world = World(tmp_path)
    if renewal:
        world.converge([web(dns_names=["old.example.org"])], **options)
    issued, published = len(world.issued()), world.generations() if renewal else None
    result = world.converge([web()], execute=dying(world, server, after="prepare"), **options)
    assert "was lost on the way; run again" in result["msg"]
    assert len(world.issued()) == issued
    assert not renewal or world.generations() == published
    server.start()
    assert world.converge([web()], wait="30s", **options)["changed"]
    assert len(world.issued()) == issued + 1
    assert world.converge([web()], **options)["changed"] is False


def test_when_the_server_dies_before_the_delivery_is_recorded_the_next_run_records_it_and_issues_nothing(
    tmp_path: Path, server: Server, options: dict[str, str]
) -> None:
    world = World(tmp_path)
    result = world.converge([web()], execute=dying(world, server, after="install"), **options)
    assert "was lost on the way; run again" in result["msg"]
    server.start()
    assert events(options) == [("intend", "pending"), ("issue", "ok")]
    again = world.converge([web()], **options)
    assert (again["changed"], again.get("failed")) == (False, None)
    assert len(world.issued()) == 1
    assert events(options) == [("intend", "pending"), ("issue", "ok"), ("publish", "ok")]
    world.converge([web()], **options)
    assert len(events(options)) == 3


def test_an_auditor_may_look_and_foresee_and_a_run_as_an_auditor_issues_nothing(
    tmp_path: Path, server: Server, options: dict[str, str]
) -> None:
    world, auditor = World(tmp_path), server.options(options["ledger"].partition("?")[0].rpartition("/")[2], AUDITOR)
    foreseen = world.converge([web()], check=True, **auditor)
    assert foreseen["changed"]
    with pytest.raises(Misconfigured, match="does not permit role auditor to write"):
        world.converge([web()], **auditor)
    assert world.issued() == []
    assert not world.store.exists()
