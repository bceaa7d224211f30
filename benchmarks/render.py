# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Write docs/benchmarks.md from build/bench.json; no figure in it is typed by hand.

python -m benchmarks.render build/bench.json docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import json
import typing as t
from pathlib import Path

from . import verdict
from .machine import warning
from .scenarios import WORK

Figures = t.Mapping[str, t.Any]

HEAD = """<!--
SPDX-FileCopyrightText: 2026 Keystead contributors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# What it costs

Measured {date} at {commit}, by `bash tools/bench`, which wrote this page. It is one machine on one day: {processor}, {processors} processors, {memory_gib} GiB, {system}; Python {python}, ansible-core {ansible_core}, cryptography {cryptography}{rival}. {load}

Every run is a whole `ansible-playbook`, from its start to its end. The unit is one `ansible.builtin.ping` on the same inventory, run just before: less than that, Ansible cannot do. Ten forks, pipelining, no facts, explicit interpreter, local connections, ECDSA P-256, an authority in a directory, the ledger in SQLite. A ratio is taken within one round, between two runs that follow each other; the tables show the medians of {rounds} rounds, with the quartiles in parentheses. "In CPU" is the same ratio in processor time, which other work on the machine disturbs less. A run counts only when Ansible's recap bears it out: no failure, and no change where nothing was to do. At the end one key among {many} is replaced by another, and a run that does not see that voids the figures.
"""

RIVALS = """
## Beside community.crypto

community.crypto is good at what it is for; it manages one file a task, so N identities take 1+3N module executions with the authority's key on the host, and 1+6N with that key on the controller, where it belongs. The playbooks are `benchmarks/playbooks/cc_ownca.yml` and `cc_pipe.yml`. Ours ran just before and just after each of theirs. It does less: no ledger, no generations, no roll-back; and with the key on the host, every host could sign for all.
"""


def page(result: Figures) -> str:
    """Return the whole page."""
    busy = warning(result["load"], result["machine"]["processors"])
    head = HEAD.format(
        **result["machine"],
        date=result["date"],
        commit=result["commit"],
        rival=f", community.crypto {result['rival']}" if result["duels"] else "",
        load=f"**Distrust the figures: {busy}.**" if busy else "The machine had nothing else to do.",
        rounds=result["rows"][0]["rounds"],
        many=max(row["identities"] for row in result["rows"]),
    )
    parts = [head, _ours(result["rows"]), _slopes(result["slopes"])]
    if result["duels"]:
        parts += [RIVALS, _duels(result["duels"])]
    return "\n".join(parts)


def _table(titles: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    head = [titles, ["---"] * len(titles)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [*head, *rows])


def _ours(rows: t.Sequence[Figures]) -> str:
    titles = ("hosts x identities", "work", "ping", "ours", "x ping", "in CPU", "goal")
    return _table(
        titles,
        [
            (
                f"{row['hosts']} x {row['identities']}",
                WORK[row["work"]],
                f"{row['ping_seconds']['median']:.2f} s",
                f"{row['seconds']['median']:.2f} s",
                _spread(row["ratio"]),
                f"{row['cpu_ratio']['median']:.2f}",
                verdict.of(row, "ratio"),
            )
            for row in rows
        ],
    )


def _slopes(slopes: t.Sequence[Figures]) -> str:
    return _table(
        ("one more identity", "between", "ms", "ms in CPU", "goal"),
        [
            (
                WORK[one["work"]],
                f"{one['from']} and {one['to']}",
                _spread(one["milliseconds"]),
                f"{one['cpu_milliseconds']['median']:.2f}",
                verdict.of(one, "milliseconds"),
            )
            for one in slopes
        ],
    )


def _duels(duels: t.Sequence[Figures]) -> str:
    return _table(
        ("hosts x identities", "work", "authority's key", "rounds", "theirs", "ours", "times as long", "goal"),
        [
            (
                f"{one['hosts']} x {one['identities']}",
                WORK[one["work"]],
                one["title"].removeprefix("CA key "),
                str(one["rounds"]),
                f"{one['rival_seconds']['median']:.1f} s",
                f"{one['seconds']['median']:.2f} s",
                f"{one['factor']['median']:.0f}",
                verdict.at_least(one["factor"]["median"], one["goal"]),
            )
            for one in duels
        ],
    )


def _spread(figure: Figures) -> str:
    return f"{figure['median']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"


def main() -> None:
    """Read the figures and write the page."""
    parser = argparse.ArgumentParser(description="Write the page of figures.")
    parser.add_argument("figures", type=Path)
    parser.add_argument("page", type=Path)
    options = parser.parse_args()
    options.page.write_text(page(json.loads(options.figures.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
