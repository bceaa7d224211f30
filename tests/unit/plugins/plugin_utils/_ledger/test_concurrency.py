# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Many runs at once, and runs that are killed."""

from __future__ import annotations

import os
import signal
import time
import traceback
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Held
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import MIGRATIONS
from ansible_collections.keystead.identity.tests.harness.ledgers import InDatabase

from .telling import batch, intent, outcome

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.ledgers import Place
    from ansible_collections.keystead.identity.tests.harness.postgres import Server

FORKS = 50


def forked(work: t.Callable[[], int | None]) -> int:
    """Run `work` in a child that never returns to pytest; its result is the exit code."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        code = work() or 0
    except BaseException:  # noqa: BLE001 - whatever it is, pytest must not run on in the child
        traceback.print_exc()
    finally:
        os._exit(code)


def codes(children: list[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def at_once(place: Place, forks: int) -> None:
    """Let so many runs of two identities each begin at the same moment, and wait until all went well."""
    start, go = os.pipe()

    def run(number: int) -> None:
        os.close(go)
        os.read(start, 1)
        ledger = place.open()
        host = f"host{number}"
        for name in ("web", "api"):
            key = f"{name} of {host}"
            ledger.intend(batch(host), [intent(name, key=key, holder=host)])
            ledger.record(batch(host), [outcome(name, key=key)])
        ledger.close()

    children = [forked(lambda number=number: run(number)) for number in range(forks)]
    os.close(start)
    os.close(go)
    assert codes(children) == [0] * forks


@pytest.mark.parametrize("new", [True, False], ids=["a new ledger", "one that is there"])
def test_fifty_forks_at_once_lose_and_double_nothing(place: Place, *, new: bool) -> None:
    if not new:
        place.open().close()
    at_once(place, FORKS)
    ledger = place.open()
    assert verify(ledger) is None
    assert ledger.read("SELECT count(*), count(DISTINCT seq), max(seq) FROM events") == [(300, 300, 300)]
    assert ledger.read("SELECT count(*), max(batch) FROM heads") == [(200, 200)]
    assert ledger.read("SELECT count(*) FROM generations WHERE state = 'current'") == [(100,)]
    assert ledger.read("SELECT count(*) FROM migrations") == [(len(MIGRATIONS),)]
    assert ledger.read("SELECT count(*) FROM meta WHERE key = 'id'") == [(1,)]
    for number in range(FORKS):
        assert {name: found.generation for name, found in ledger.remembered(f"host{number}", "/srv/store").items()} == {
            "web": 1,
            "api": 1,
        }
    ledger.close()


@pytest.mark.needs("postgres")
def test_two_controllers_with_fifty_forks_each_wait_for_a_server_with_fewer_connections(
    postgres_server: Server,
) -> None:
    ((connections,),) = postgres_server.admin("SHOW max_connections")
    assert int(connections) < 2 * FORKS
    place = InDatabase(postgres_server)
    at_once(place, 2 * FORKS)
    ledger = place.open()
    assert verify(ledger) is None
    assert ledger.read("SELECT count(*), count(DISTINCT seq), max(seq) FROM events") == [(600, 600, 600)]
    ledger.close()


def test_whoever_comes_first_makes_the_ledger_and_the_others_find_it(tmp_path: Path) -> None:
    for attempt in range(20):
        url = f"sqlite:///{tmp_path}/{attempt}.sqlite"
        start, go = os.pipe()

        def run(url: str = url, start: int = start, go: int = go) -> None:
            os.close(go)
            os.read(start, 1)
            open_ledger(url).close()

        children = [forked(run) for _ in range(8)]
        os.close(start)
        os.close(go)
        assert codes(children) == [0] * 8


def test_of_many_runs_that_intend_the_same_generation_exactly_one_wins(place: Place) -> None:
    def run(number: int) -> int:
        ledger = place.open()
        try:
            ledger.intend(batch(), [intent(key=f"key{number}", holder=f"run{number}")])
        except Held:
            return 3
        finally:
            ledger.close()
        return 0

    answers = codes([forked(lambda number=number: run(number)) for number in range(10)])
    assert sorted(answers) == [0] + [3] * 9
    ledger = place.open()
    winner = answers.index(0)
    assert ledger.remembered("web1", "/srv/store")["web"].open_intent.public_id == f"key{winner}"
    assert ledger.read("SELECT count(*) FROM generations") == [(1,)]
    ledger.close()


def test_a_run_that_is_killed_leaves_whole_batches_only(place: Place) -> None:
    names = [f"i{number}" for number in range(40)]

    def run(first: int) -> None:
        ledger = place.open()
        for number in range(first, first + 1000):
            ledger.intend(batch(), [intent(name, number) for name in names])
            ledger.record(batch(), [outcome(name, number) for name in names])

    killed = newest = attempt = 0
    while attempt < 12 or (newest <= 3 and attempt < 100):  # each run has longer than the one before
        attempt += 1
        ledger = place.open()
        newest = max((found.newest for found in ledger.remembered("web1", "/srv/store").values()), default=0)
        ledger.close()
        child = forked(lambda first=newest + 1: run(first))
        time.sleep(0.03 + 0.0107 * attempt)
        os.kill(child, signal.SIGKILL)
        killed += codes([child]) == [-signal.SIGKILL]
        ledger = place.open()
        assert verify(ledger) is None
        sizes = ledger.read(
            "SELECT h.batch, count(e.seq), min(e.action) FROM heads h"
            " LEFT JOIN events e ON e.batch = h.batch GROUP BY h.batch"
        )
        assert {(size, action) for _, size, action in sizes} <= {(40, "intend"), (80, "issue")}
        found = ledger.remembered("web1", "/srv/store").values()
        assert len({(one.newest, one.generation, one.open_intent and one.open_intent.number) for one in found}) <= 1
        ledger.close()
    assert killed == attempt
    assert newest > 3
