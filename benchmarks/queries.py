# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Questions to a ledger of 100,000 generations and a million events, by each selector.

python -m benchmarks.queries build: works below build/queries and writes build/queries.json. PostgreSQL is a real one,
over TLS; what is measured is a page of 100 rows with its deliveries and the count of all, without the start of Ansible.
"""

from __future__ import annotations

import statistics
import time
import typing as t

from . import figures, machine, printed
from .part import Part, main
from .runner import Unexpected

if t.TYPE_CHECKING:
    from pathlib import Path

GENERATIONS, EVENTS = 100_000, 1_000_000
LIMIT = 100
GOAL = 1.0
ROUNDS, QUICK_ROUNDS = 7, 3


def questions() -> dict[str, t.Any]:
    """Return what is asked, by its name."""
    from ansible_collections.keystead.identity.plugins.plugin_utils._rows.selection import IN_USE, Selection

    used = Selection(states=(IN_USE,))
    month = {"ends_from": "2027-01-01T00:00:00.000Z", "ends_until": "2027-02-01T00:00:00.000Z"}
    return {
        "service": used._replace(services=("service-7",)),
        "contact": used._replace(contacts=("team3@example.org",)),
        "issuer": used._replace(issuers=("local:ca1",)),
        "key type": used._replace(key_types=("rsa-2048",)),
        "custody": used._replace(custodies=("pkcs11",)),
        "host": used._replace(hosts=("web77.example.org",)),
        "expiry window": used._replace(**month),
        "SPKI": Selection(spki=(f"{GENERATIONS // 2:064d}",)),
        "serial number": Selection(serial_numbers=(f"{100_000_000 + GENERATIONS // 2:010d}",)),
        "state": Selection(states=("superseded",)),
        "all in use": used,
        "everything": Selection(),
    }


def run(place: Path, rounds: int) -> figures.Figures:
    """Measure and return what build/queries.json holds."""
    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
    from ansible_collections.keystead.identity.tests.harness import full_ledger, postgres
    from ansible_collections.keystead.identity.tests.needs import lack_of

    if (lack := lack_of("postgres")) is not None:
        raise Unexpected(f"it cannot be measured: {lack}")
    place.mkdir(parents=True, exist_ok=True)
    result, load = {**machine.about(), "rounds": rounds, "goal": GOAL}, machine.Load()
    with postgres.postgres() as server:
        name = server.ledger()
        ledger = open_for(server.options(name))
        printed.say(f"filling it with {GENERATIONS} generations and {EVENTS} events")
        full_ledger.fill(ledger, GENERATIONS, EVENTS)
        server.told(name, postgres.ADMIN, "ANALYZE")  # as a server does by itself, soon after
        seconds = {question: _measured(ledger, asked, rounds) for question, asked in questions().items()}
        ledger.close()
    return {**result, "seconds": seconds, "load": load.seen()}


def _measured(ledger: t.Any, asked: t.Any, rounds: int) -> dict[str, float]:
    from ansible_collections.keystead.identity.plugins.plugin_utils._rows.page import page

    took = []
    for _round in range(rounds):
        begun = time.perf_counter()
        found = page(ledger, (), asked, None, LIMIT)
        took.append(time.perf_counter() - begun)
    if not found.managed:
        raise Unexpected("a question has no answer, so that nothing was measured")
    return {"rows": found.managed, "median": statistics.median(took), "worst": max(took)}


def lines(result: figures.Figures) -> t.Iterator[str]:
    """Yield the figures for a terminal."""
    yield f"a page of {LIMIT} rows and the count, of {GENERATIONS} generations beside {EVENTS} events: s"
    for question, found in result["seconds"].items():
        yield f"{question:<16}{found['rows']:>8} rows  {found['median']:.3f}, worst {found['worst']:.3f}"
    worst = max(found["worst"] for found in result["seconds"].values())
    yield f"the goal is {result['goal']:g} s: {'reached' if worst <= result['goal'] else 'MISSED'}"
    yield from printed.load(result)


if __name__ == "__main__":
    main(Part("queries", "How long a question to a large ledger takes.", ROUNDS, QUICK_ROUNDS, run, lines))
