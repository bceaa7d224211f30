# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the time of one run goes, beside a ping's: who spends how many milliseconds on what.

python -m benchmarks.profile build [--identities 10] [--work idle|issue] [--clock wall|cpu] [--rounds 9]
Every process of the run carries a stopwatch (hooks/sitecustomize.py), whose accounts add up to the process's life.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import typing as t
from collections import defaultdict
from pathlib import Path

from .ground import Ground
from .hooks import sitecustomize
from .runner import Run, Unexpected, give_up
from .scenarios import WORK, Fleet, Work

HOOKS = Path(__file__).resolve().parent / "hooks"
SLOWEST = 15
WHOLE = "the whole run"
Clock = t.Literal["wall", "cpu"]
Where = tuple[str, str]  # process, account
Sums = dict[Where, float]


class Profile(t.NamedTuple):
    """Milliseconds of one run: by account, and by the module whose import was going on."""

    accounts: Sums
    modules: Sums
    shipped: dict[str, list[int]]
    executions: int


def profiled(place: Path, clock: Clock, run: t.Callable[[dict[str, str]], Run]) -> Profile:
    """Run a playbook with stopwatches in all its processes."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    took = run({"BENCH_PROFILE": str(place), "BENCH_CLOCK": clock, "PYTHONPATH": str(HOOKS)})
    processes = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(place.iterdir())]
    accounts = _sums(processes, "accounts")
    whole = accounts["", WHOLE] = 1000 * getattr(took, clock)
    lives = {role: _lives(one for one in processes if one["role"] == role) for role in WHO if role}
    if clock == "cpu":
        accounts["", "processes: start, end, shell"] = whole - sum(lives.values())
    else:  # the parent waits for its worker, the worker for the module
        accounts["parent", "ansible"] -= lives["worker"]
        accounts["worker", "host"] -= lives["module"]
        accounts["parent", "python: start and end"] = whole - lives["parent"]
    modules = [one for one in processes if one["role"] == "module"]
    return Profile(accounts, _sums(processes, "modules"), modules[-1]["shipped"], len(modules))


def _lives(processes: t.Iterable[dict[str, t.Any]]) -> float:
    return 1000 * sum(float(one["end"] - one["start"]) for one in processes)


def _sums(processes: t.Iterable[dict[str, t.Any]], field: str) -> Sums:
    sums: Sums = defaultdict(float)
    for process in processes:
        for name, spent in process[field].items():
            sums[process["role"], name] += 1000 * spent
    return sums


TITLES = {
    ("parent", "ansible"): "ansible: parse, fork, take the result, recap",
    ("worker", "ansible"): "ansible: the rest",
    ("worker", "host"): "shell, pipes, start and end of Python",
    ("module", "ansible"): "ansible: unpack",
}
WHO = {"": "", "parent": "ansible-playbook", "worker": "forked worker", "module": "module on the host"}


def lines(pings: t.Sequence[Profile], ours: t.Sequence[Profile]) -> t.Iterator[str]:
    """Yield the table: medians of the accounts, of a ping and of ours."""
    yield f"{'ms':<54}{'ping':>8}{'ours':>8}{'more':>8}"
    both = _medians(pings, "accounts"), _medians(ours, "accounts")
    for who, title in WHO.items():
        rows = sorted(account for account in {*both[0], *both[1]} if account[0] == who)
        if who:
            mine = [sum(side[row] for row in rows) for side in both]
            yield _line(f"{title}", *mine)
        for row in rows:
            yield _line(("  " if who else "") + TITLES.get(row, row[1]), both[0][row], both[1][row])
    yield from _shipped(pings[-1], ours[-1])
    yield from _uncharged(both[1])
    loads = _medians(pings, "modules"), _medians(ours, "modules")
    more = {where: spent - loads[0][where] for where, spent in loads[1].items() if where[1]}
    yield f"\nimports that cost more than a ping's, without what they import, ms (the {SLOWEST} slowest)"
    for who, name in sorted(more, key=more.__getitem__, reverse=True)[:SLOWEST]:
        yield f"  {more[who, name]:6.1f}  {WHO[who]:<20}{name.replace(sitecustomize.HERE, '~')[:50]}"


def _uncharged(ours: Sums) -> t.Iterator[str]:
    """Name accounts of ours that nothing was charged to: their functions may have other names by now."""
    names = {account for spans in sitecustomize.SPANS.values() for account in spans.values()}
    if missing := names - {name for _, name in ours}:
        yield f"never called, or renamed since hooks/sitecustomize.py was written: {', '.join(sorted(missing))}"


def _shipped(ping: Profile, ours: Profile) -> t.Iterator[str]:
    for title, one in (("ping", ping), ("ours", ours)):
        parts = [f"{count} files of {whose} ({size / 1024:.0f} KiB)" for whose, (count, size) in one.shipped.items()]
        yield f"{title}: {one.executions} module execution(s); the last one compiled {', '.join(parts)}"


def _line(title: str, ping: float, ours: float) -> str:
    return f"{title:<54}{ping:>8.1f}{ours:>8.1f}{ours - ping:>+8.1f}"


def _medians(profiles: t.Sequence[Profile], field: t.Literal["accounts", "modules"]) -> Sums:
    sums: list[Sums] = [getattr(one, field) for one in profiles]
    names = {name for one in sums for name in one}
    medians = {name: statistics.median(one.get(name, 0.0) for one in sums) for name in names}
    return defaultdict(float, medians)


def measure(ground: Ground, fleet: Fleet, work: Work, clock: Clock, rounds: int) -> tuple[list[Profile], list[Profile]]:
    """Return profiles of pings and of ours, one each a round."""
    ground.run("ours", fleet, "issue", where="profiled")
    log = ground.place / "profile"
    pings, ours = [], []
    for _ in range(rounds):
        pings.append(profiled(log, clock, lambda hooks: ground.ping(fleet, hooks)))
        ours.append(
            profiled(log, clock, lambda hooks: ground.run("ours", fleet, work, where="profiled", environment=hooks))
        )
    return pings, ours


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Where the time of one run on one host goes, beside a ping's.")
    parser.add_argument("build", type=Path, help="the directory below which everything is written")
    parser.add_argument("--identities", type=int, default=10)
    parser.add_argument("--work", choices=[*WORK], default="idle")
    parser.add_argument("--clock", choices=t.get_args(Clock), default="wall", help="cpu: steady on a busy machine")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    fleet = Fleet(1, options.identities)
    try:
        ping, ours = measure(Ground(options.build / "profile"), fleet, options.work, options.clock, options.rounds)
    except Unexpected as error:
        give_up(error)
    clock = {"wall": "by the clock", "cpu": "in processor time"}[options.clock]
    print(
        f"{fleet}, {WORK[options.work]}, {clock}, medians of {options.rounds} rounds; the stopwatches cost a bit, too"
    )
    print("\n".join(lines(ping, ours)))


if __name__ == "__main__":
    main()
