# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What real servers cost: a first issue through an OpenBao, and nothing to do with the ledger in a PostgreSQL.

python -m benchmarks.backends build: works below build/backends and writes build/backends.json. The servers are those of
the tests, and what they need is tests/needs.py; one that cannot be had is not measured, which is said.
"""

from __future__ import annotations

import argparse
import json
import statistics
import typing as t
from pathlib import Path

from . import figures, machine, table
from .ground import Ground, unused
from .measure import measure, prove_that_it_looks
from .part import find_collection
from .printed import say
from .runner import Unexpected, give_up
from .scenarios import BACKENDS, SHARED_LEDGER, TEN, issuing, per_certificate
from .sign_calls import SignCalls

ROUNDS, QUICK_ROUNDS = 9, 3
PLAYBOOK = "backend"
Backend = t.Callable[[Path, int, bool], figures.Figures]


def openbao(place: Path, rounds: int, quick: bool) -> figures.Figures:  # noqa: FBT001
    """Measure first issues, and the one call that each certificate needs at the least."""
    from ansible_collections.keystead.identity.tests.harness.openbao import approle, pki, token
    from ansible_collections.keystead.identity.tests.harness.openbao_server import running

    directory, scenarios = place / "server", issuing(quick=quick)
    directory.mkdir()
    with running(directory) as server:
        authority = pki(server)
        options = authority.options(approle(authority))
        ground = Ground(place / "ground", {"ledger": "sqlite:///{{ work }}/ledger.db", "issuer": {"openbao": options}})
        calls = SignCalls(options, token(authority))
        pairs = measure(ground, scenarios, rounds, say, name=PLAYBOOK, aside=calls.measure)
        calls.close()
        wanted = calls.made + rounds * sum(scenario.fleet.identities for scenario in scenarios)
        signed = len(authority.call("LIST", f"{authority.mount}/certs")["data"]["keys"])
        if signed != wanted:
            raise Unexpected(f"OpenBao signed {signed} certificates in place of {wanted}")
    slope = per_certificate(scenarios, statistics.median(calls.milliseconds))
    return {
        "rows": figures.rows(pairs),
        "slopes": figures.slopes(pairs, slope),
        "sign_milliseconds": figures.spread(calls.milliseconds),
    }


def postgresql(place: Path, rounds: int, quick: bool) -> figures.Figures:  # noqa: ARG001, FBT001
    """Measure runs that find nothing to do, and that they see what they should."""
    from ansible_collections.keystead.identity.tests.harness.postgres import postgres

    with postgres() as server:
        authority = {"local": {"directory": "{{ work }}/authorities", "authority": "bench"}}
        ground = Ground(place / "ground", {**server.options(server.ledger()), "issuer": authority})
        pairs = measure(ground, SHARED_LEDGER, rounds, say, name=PLAYBOOK)
        prove_that_it_looks(ground, TEN, PLAYBOOK)
    return {"rows": figures.rows(pairs)}


MEASURES: dict[str, tuple[str, Backend]] = {"openbao": ("openbao", openbao), "postgresql": ("postgres", postgresql)}


def run(place: Path, rounds: int, *, quick: bool) -> figures.Figures:
    """Measure what can be had and return what build/backends.json holds."""
    from ansible_collections.keystead.identity.tests.needs import lack_of, must_run_all

    result, load = {**machine.about(), "rounds": rounds}, machine.Load()
    for name, (need, backend) in MEASURES.items():
        lack = lack_of(need)
        if lack is not None:
            say(f"NOT MEASURED: {BACKENDS[name]}: {lack}")
            if must_run_all():
                raise Unexpected(f"{BACKENDS[name]} is to be measured where CI=true")
        else:
            say(BACKENDS[name])
        result[name] = {"lack": lack} if lack else backend(unused(place / name), rounds, quick)
    return {**result, "load": load.seen()}


def main() -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description="What real servers cost.")
    parser.add_argument("build", type=Path, help="the directory below which everything is written")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and fewer certificates")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    kept = options.build / "backends.json"
    kept.unlink(missing_ok=True)  # what fails now leaves no figures of earlier
    find_collection()
    try:
        result = run(options.build / "backends", rounds, quick=options.quick)
    except Unexpected as error:
        give_up(error)
    kept.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(table.of_backends(result)))


if __name__ == "__main__":
    main()
