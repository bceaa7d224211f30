# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the time of one run goes, beside a ping's: who spends how many milliseconds on what.

python -m benchmarks.profile build [--identities 10] [--work idle|issue] [--rounds 7]
Every process of the run carries a stopwatch (hooks/sitecustomize.py), whose accounts add up to the process's life.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
import typing as t
from collections import Counter
from pathlib import Path

from .ground import Ground
from .runner import Unexpected, give_up
from .scenarios import WORK, Fleet, Work

HOOKS = Path(__file__).resolve().parent / "hooks"
SLOWEST = 15
WHOLE = "the whole run"
Where = tuple[str, str]  # process, account


class Profile(t.NamedTuple):
    """Milliseconds of one run: by account, and by the module whose import was going on."""

    accounts: Counter[Where]
    modules: Counter[Where]
    shipped: dict[str, list[int]]
    executions: int


def profiled(place: Path, run: t.Callable[[dict[str, str]], t.Any]) -> Profile:
    """Run a playbook with stopwatches in all its processes."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    start = time.monotonic()
    run({"BENCH_PROFILE": str(place), "PYTHONPATH": str(HOOKS)})
    end = time.monotonic()
    processes = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(place.iterdir())]
    return _profile(start, end, processes)


def _profile(start: float, end: float, processes: list[dict[str, t.Any]]) -> Profile:
    accounts: Counter[Where] = Counter()
    modules: Counter[Where] = Counter()
    for process in processes:
        accounts.update({(process["role"], name): 1000 * spent for name, spent in process["accounts"].items()})
        modules.update({(process["role"], name): 1000 * spent for name, spent in process["modules"].items() if name})
    by_role = {role: [one for one in processes if one["role"] == role] for role in ("parent", "worker", "module")}
    # The parent waits for its worker, the worker for the module.
    accounts["parent", "ansible"] -= _lives(by_role["worker"])
    accounts["worker", "host"] -= _lives(by_role["module"])
    accounts["parent", "python: start and end"] = 1000 * (end - start) - _lives(by_role["parent"])
    accounts["", WHOLE] = 1000 * (end - start)
    shipped = by_role["module"][-1]["shipped"]
    return Profile(accounts, modules, shipped, len(by_role["module"]))


def _lives(processes: t.Iterable[dict[str, t.Any]]) -> float:
    return 1000 * sum(one["end"] - one["start"] for one in processes)


TITLES = {
    ("parent", "ansible"): "ansible: parse, fork, wait, recap",
    ("worker", "ansible"): "ansible: template the task, send the result",
    ("worker", "host"): "shell, pipes, start and end of Python",
    ("module", "ansible"): "ansible: unpack; read arguments, answer",
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
    more = _medians(ours, "modules")
    more.subtract(_medians(pings, "modules"))
    yield f"\nimports that cost more than a ping's, without what they import, ms (the {SLOWEST} slowest)"
    for (who, name), spent in more.most_common(SLOWEST):
        yield f"  {spent:6.1f}  {WHO[who]:<20}{name.replace('ansible_collections.keystead.identity.plugins', '~')[:50]}"


def _shipped(ping: Profile, ours: Profile) -> t.Iterator[str]:
    for title, one in (("ping", ping), ("ours", ours)):
        parts = ", ".join(f"{count} files of {whose} ({size / 1024:.0f} KiB)" for whose, (count, size) in one.shipped.items())
        yield f"{title}: {one.executions} execution{'s' * (one.executions > 1)}; the last one compiled {parts}"


def _line(title: str, ping: float, ours: float) -> str:
    return f"{title:<54}{ping:>8.1f}{ours:>8.1f}{ours - ping:>+8.1f}"


def _medians(profiles: t.Sequence[Profile], field: t.Literal["accounts", "modules"]) -> Counter[Where]:
    counters: list[Counter[Where]] = [getattr(one, field) for one in profiles]
    names = {name for one in counters for name in one}
    return Counter({name: statistics.median(one[name] for one in counters) for name in names})


def measure(ground: Ground, fleet: Fleet, work: Work, rounds: int) -> tuple[list[Profile], list[Profile]]:
    """Return profiles of pings and of ours, one each a round."""
    ground.run("ours", fleet, "issue", where="profiled")
    log = ground.place / "profile"
    pings, ours = [], []
    for _ in range(rounds):
        pings.append(profiled(log, lambda hooks: ground.ping(fleet, hooks)))
        ours.append(profiled(log, lambda hooks: ground.run("ours", fleet, work, where="profiled", environment=hooks)))
    return pings, ours


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Where the time of one run on one host goes, beside a ping's.")
    parser.add_argument("build", type=Path, help="the directory below which everything is written")
    parser.add_argument("--identities", type=int, default=10)
    parser.add_argument("--work", choices=[*WORK], default="idle")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    fleet = Fleet(1, options.identities)
    try:
        ping, ours = measure(Ground(options.build / "profile"), fleet, options.work, options.rounds)
    except Unexpected as error:
        give_up(error)
    print(f"{fleet}, {WORK[options.work]}, medians of {options.rounds} rounds; the stopwatches themselves cost a little")
    print("\n".join(lines(ping, ours)))


if __name__ == "__main__":
    main()
