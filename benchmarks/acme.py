# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Twenty certificates from a server of ACME: one task of ours, and twenty runs of lego, against the same Pebble.

python -m benchmarks.acme build: works below build/acme and writes build/acme.json. Both show control by a listener on
the same port, each for names that the server never saw; both have an account already. Ours is the whole of an
ansible-playbook, its start included. The goal is that lego takes ten times as long.
"""

from __future__ import annotations

import os
import subprocess
import time
import typing as t

from . import figures, machine, printed
from .part import Part, main
from .runner import Unexpected

if t.TYPE_CHECKING:
    from pathlib import Path

ORDERS = 20
GOAL = 10.0
ROUNDS, QUICK_ROUNDS = 3, 1
OPEN = {"externalAccountBindingRequired": False}


def ours(place: Path, pebble: t.Any, number: int) -> float:
    """Run one task for all names, and return how long it took, in seconds."""
    from ansible_collections.keystead.identity.tests.harness import acme, playbook

    challenge = {"http_01": {"standalone_port": pebble.http_port}}
    names = [
        {"name": f"web{n}", "dns_names": [f"ours{number}-{n}.example.org"], "profile": "tls_peer"}
        for n in range(ORDERS)
    ]
    task = {
        "issuer": {"acme": acme.options(pebble, place, challenge, eab=None)},
        "ledger": f"sqlite:////{str(place / f'ledger{number}.sqlite').lstrip('/')}",
        "store": str(place / f"store{number}"),
        "identities": names,
    }
    begun = time.perf_counter()
    done = playbook.run([{"keystead.identity.machine_identity": task}], playbook.ONE_HOST, home=place / "home")
    took = time.perf_counter() - begun
    if playbook.recap(done).get("web1", {}).get("changed") != 1:
        raise Unexpected(f"the task failed: {done.stdout[-600:]}")
    return took


def lego(place: Path, pebble: t.Any, number: int) -> float:
    """Run lego once for each name, one after the other, and return how long all took, in seconds."""
    begun = time.perf_counter()
    for n in range(ORDERS):
        _lego(place, pebble, f"lego{number}-{n}.example.org")
    return time.perf_counter() - begun


def _lego(place: Path, pebble: t.Any, name: str) -> None:
    argv = ["lego", "--accept-tos", "--email", "ops@example.org", "--server", f"{pebble.url}/dir", "--path",
            str(place / "lego"), "--http", "--http.port", f":{pebble.http_port}", "--domains", name, "run"]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - the rival
        argv, env={"PATH": os.environ["PATH"], "LEGO_CA_CERTIFICATES": str(pebble.ca_bundle)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if done.returncode:
        raise Unexpected(f"lego failed: {done.stderr[-400:]}")


def run(place: Path, rounds: int) -> figures.Figures:
    """Measure and return what build/acme.json holds."""
    from ansible_collections.keystead.identity.tests.harness import pebble as server
    from ansible_collections.keystead.identity.tests.needs import lack_of

    for need in ("pebble", "lego"):
        if (lack := lack_of(need)) is not None:
            raise Unexpected(f"it cannot be measured: {lack}")
    result, load = {**machine.about(), "rounds": rounds}, machine.Load()
    seconds: dict[str, list[float]] = {"ours": [], "lego": []}
    place.mkdir(parents=True, exist_ok=True)
    with server.running(place) as pebbles:
        pebble = pebbles.one("bench", settings=OPEN, PEBBLE_AUTHZREUSE="0")
        ours(place, pebble, 0)  # makes the account
        _lego(place, pebble, "first.example.org")
        for number in range(1, rounds + 1):
            printed.say(f"round {number} of {rounds}")
            seconds["ours"].append(ours(place, pebble, number))
            seconds["lego"].append(lego(place, pebble, number))
    ratios = [rival / mine for mine, rival in zip(*seconds.values(), strict=True)]
    spread = {name: figures.spread(values) for name, values in seconds.items()}
    return {**result, "seconds": spread, "ratio": figures.spread(ratios), "goal": GOAL, "load": load.seen()}


def lines(result: figures.Figures) -> t.Iterator[str]:
    """Yield the figures for a terminal."""
    yield f"{ORDERS} certificates from one Pebble: s (quartiles)"
    for name, title in {"ours": "one task", "lego": f"{ORDERS} runs of lego"}.items():
        yield f"{title:<20}{printed.spread(result['seconds'][name])}"
    yield f"{'lego / ours':<20}{printed.spread(result['ratio'])}; the goal is {result['goal']:g}"
    yield from printed.load(result)


if __name__ == "__main__":
    main(Part("acme", "What twenty certificates from a server of ACME cost.", ROUNDS, QUICK_ROUNDS, run, lines))
