# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How long a task of ours takes, as a multiple of one ping on the same inventory, and beside community.crypto.

python -m benchmarks.bench build: works below build/bench and writes build/bench.json
"""

from __future__ import annotations

import argparse
import json
import time
import typing as t
from pathlib import Path

from . import figures, machine, table
from .ground import Ground
from .measure import duel, measure, prove_that_it_looks
from .printed import say
from .runner import Unexpected, give_up
from .scenarios import DUELS, MANY, SCENARIOS, SLOPES, Duel

ROUNDS, QUICK_ROUNDS = 15, 5


def run(build: Path, rounds: int, fights: t.Sequence[Duel]) -> figures.Figures:
    """Measure everything and return what build/bench.json holds."""
    about: figures.Figures = machine.about()
    load, ground = machine.Load(), Ground(build / "bench")
    busy = machine.warning(load.seen(), about["machine"]["processors"])
    if busy:
        say(f"WARNING: {busy}")
    pairs = measure(ground, SCENARIOS, rounds, say)
    prove_that_it_looks(ground, MANY)
    bouts = duel(ground, fights, say)
    return {
        **about,
        "rival": machine.rival_version() if fights else None,
        "rows": figures.rows(pairs),
        "slopes": figures.slopes(pairs, SLOPES),
        "duels": figures.duels(bouts),
        "load": load.seen(),
    }


def main() -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description="How fast it is.")
    parser.add_argument("build", type=Path, help="the directory below which everything is written")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and of the rivals only the smallest")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--no-rivals", action="store_true", help="leave community.crypto out; it takes minutes")
    options = parser.parse_args()
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    fights = (DUELS[0]._replace(rounds=1),) if options.quick else DUELS
    start = time.monotonic()
    try:
        result = run(options.build, rounds, () if options.no_rivals else fights)
    except Unexpected as error:
        give_up(error)
    (options.build / "bench.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(table.lines(result)))
    say(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
