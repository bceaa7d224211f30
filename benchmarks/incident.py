# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A leak: every key of ten hosts is replaced through an OpenBao, and then every old certificate is revoked.

python -m benchmarks.incident build: works below build/incident and writes build/incident.json. One more identity may
cost two sign calls and 3 ms when it is replaced, and one and a half bare revoke calls when its certificate is revoked.
The server makes its list from time to time (`auto_rebuild`), so that a bare call costs the same however many it had.
"""

from __future__ import annotations

import datetime as dt
import statistics
import textwrap
import time
import typing as t

from . import disk, figures, machine, printed, verdict
from .ground import Ground
from .part import Part, main
from .runner import Unexpected, play
from .scenarios import Fleet
from .sign_calls import RevokeCalls, SignCalls

if t.TYPE_CHECKING:
    from pathlib import Path

SMALL, LARGE = Fleet(10, 10), Fleet(10, 100)
ROUNDS, QUICK_ROUNDS = 5, 2
WORKS = {"rotate": "its key is replaced", "revoke": "its old certificate is revoked"}
RULES = 'path "{0}/config/crl" {{ capabilities = ["read"] }}\npath "{0}/crl/rotate" {{ capabilities = ["read"] }}'
MORE = (LARGE.hosts * LARGE.identities - SMALL.hosts * SMALL.identities) / 1000


def incident(ground: Ground, fleet: Fleet) -> dict[str, float]:
    """Issue, replace, and revoke what was replaced; return the seconds of the last two, which both must change all."""
    where = f"incident-{fleet}"
    ground.run("backend", fleet, "issue", where=where)
    time.sleep(1 - time.time() % 1)
    moment = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    doomed = [{"host": f"host{number}", "issued_before": moment} for number in range(fleet.hosts)]
    said: dict[str, t.Any] = {"work": str(ground.directory(where)), "moment": moment, "doomed": doomed}
    inventory = ground.inventory(fleet)
    return {work: play(work, inventory, changes=True, **said).wall for work in WORKS}


def run(place: Path, rounds: int) -> figures.Figures:
    """Measure and return what build/incident.json holds."""
    from ansible_collections.keystead.identity.tests.harness.openbao import pki, token
    from ansible_collections.keystead.identity.tests.harness.openbao_server import running
    from ansible_collections.keystead.identity.tests.needs import lack_of

    if (lack := lack_of("openbao")) is not None:
        raise Unexpected(f"it cannot be measured: {lack}")
    result, load = {**machine.about(), "rounds": rounds}, machine.Load()
    took: dict[Fleet, list[dict[str, float]]] = {SMALL: [], LARGE: []}
    (place / "server").mkdir(parents=True)
    removal = disk.removal(place)
    with running(place / "server") as server:
        authority = pki(server)
        authority.call("POST", f"{authority.mount}/config/crl", {"auto_rebuild": True, "enable_delta": False})
        authority.call("PUT", "sys/policies/acl/lists", {"policy": RULES.format(authority.mount)})
        key = token(authority, authority.policy, "lists")
        options = authority.options({"token": {"token": key}})
        ground = Ground(place / "ground", {"ledger": "sqlite:///{{ work }}/ledger.db", "issuer": {"openbao": options}})
        signs, revokes = SignCalls(options, key), RevokeCalls(options, key)
        for number in range(1, rounds + 1):
            printed.say(f"round {number} of {rounds}")
            signs.measure()
            revokes.measure()
            for fleet in (SMALL, LARGE) if number % 2 else (LARGE, SMALL):
                took[fleet].append(incident(ground, fleet))
        signs.close()
        revokes.close()
        listed = _revoked(authority)
    wanted = revokes.made + rounds * sum(fleet.hosts * fleet.identities for fleet in took)
    if listed != wanted:
        raise Unexpected(f"OpenBao lists {listed} certificates in place of {wanted}")
    calls = {"rotate": signs.milliseconds, "revoke": revokes.milliseconds}
    slopes = {work: _slope(took, work, calls[work]) for work in WORKS}
    return {**result, "slopes": slopes, "removal_milliseconds": removal, "load": load.seen()}


def _revoked(authority: t.Any) -> int:
    """Have the server make its list, and count what is on it."""
    from cryptography import x509

    authority.call("GET", f"{authority.mount}/crl/rotate")
    said = authority.call("GET", f"{authority.mount}/cert/crl")["data"]["certificate"]
    return len(x509.load_pem_x509_crl(said.encode()))


def _slope(took: t.Mapping[Fleet, list[dict[str, float]]], work: str, calls: list[float]) -> figures.Figures:
    call = statistics.median(calls)
    goal = 2 * call + 3 if work == "rotate" else 1.5 * call
    pairs = zip(took[SMALL], took[LARGE], strict=True)
    return {
        "milliseconds": figures.spread((large[work] - small[work]) / MORE for small, large in pairs),
        "call_milliseconds": figures.spread(calls),
        "seconds": figures.spread(one[work] for one in took[LARGE]),
        "goal": round(goal, 2),
        "stretch": None,
    }


def lines(result: figures.Figures) -> t.Iterator[str]:
    """Yield the figures for a terminal."""
    yield f"one more identity, between {SMALL} and {LARGE} (hosts x identities), ms (quartiles)"
    for work, title in WORKS.items():
        found = result["slopes"][work]
        yield f"{title:<32}{printed.spread(found['milliseconds'])}  {verdict.of(found, 'milliseconds')}"
        yield f"{'  the server alone, a call':<32}{printed.spread(found['call_milliseconds'])}"
        yield f"{'  the larger in all, s':<32}{printed.spread(found['seconds'])}"
    yield f"{'the disk, a file taken away':<32}{printed.spread(result['removal_milliseconds'])}"
    if dear := disk.warning(result["removal_milliseconds"]):
        yield from textwrap.wrap(f"WARNING: {dear}", 80)
    yield from printed.load(result)


if __name__ == "__main__":
    main(Part("incident", "What a leak of a thousand keys costs.", ROUNDS, QUICK_ROUNDS, run, lines))
