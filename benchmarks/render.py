# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Write docs/benchmarks.md from the figures below build and page.md; no figure is typed by hand.

python -m benchmarks.render build docs/benchmarks.md: with build/backends.json, where that is
"""

from __future__ import annotations

import argparse
import json
import typing as t
from pathlib import Path

from . import verdict
from .machine import warning
from .printed import spread
from .scenarios import BACKENDS, WORK

Figures = t.Mapping[str, t.Any]

TEMPLATE = Path(__file__).resolve().parent / "page.md"
UNASKED = {"lack": "run `bash tools/bench backends`"}
RIVALS = "<!-- only with rivals -->\n"


def page(result: Figures, backends: Figures | None) -> str:
    """Return the whole page; `backends` are the figures of real servers, where there are any."""
    template = TEMPLATE.read_text(encoding="utf-8")
    template = template.replace(RIVALS, "") if result["duels"] else template.partition(RIVALS)[0]
    return template.format(
        **result["machine"],
        date=result["date"],
        commit=result["commit"],
        rival=f", community.crypto {result['rival']}" if result["duels"] else "",
        load=_load(result),
        rounds=result["rows"][0]["rounds"],
        many=max(row["identities"] for row in result["rows"]),
        ours=_ours(result["rows"]),
        slopes=_slopes(result["slopes"]),
        duels=_duels(result["duels"]),
        backends=_when(backends) if backends else "",
        **{name: _backend(backends[name] if backends else UNASKED) for name in BACKENDS},
    )


def _load(result: Figures) -> str:
    busy = warning(result["load"], result["machine"]["processors"])
    return f"**Distrust the figures: {busy}.**" if busy else "The machine had nothing else to do."


def _when(result: Figures) -> str:
    return f" Measured {result['date']} at {result['commit']}, medians of {result['rounds']} rounds. {_load(result)}"


def _backend(found: Figures) -> str:
    if found.get("lack"):
        return f"**Not measured: {found['lack']}.**"
    if "slopes" not in found:
        return _ours(found["rows"])
    call = f"One sign call alone took {spread(found['sign_milliseconds'])} ms."
    return "\n\n".join([_ours(found["rows"]), call, _slopes(found["slopes"])])


def _table(titles: t.Sequence[str], rows: t.Iterable[t.Sequence[str]]) -> str:
    head = [titles, ["---"] * len(titles)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*head, *rows])


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
                spread(row["ratio"]),
                f"{row['cpu_ratio']['median']:.2f}",
                verdict.of(row, "ratio"),
            )
            for row in rows
        ],
    )


def _slopes(slopes: t.Sequence[Figures]) -> str:
    return _table(
        ("one more identity", "between", "ms", "ms in CPU", "ms above ping", "goal"),
        [
            (
                WORK[one["work"]],
                f"{one['from']} and {one['to']}",
                spread(one["milliseconds"]),
                f"{one['cpu_milliseconds']['median']:.2f}",
                f"{one['above_ping']['median']:.2f}",
                verdict.of(one, "above_ping"),
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



def main() -> None:
    """Read the figures and write the page."""
    parser = argparse.ArgumentParser(description="Write the page of figures.")
    parser.add_argument("build", type=Path)
    parser.add_argument("page", type=Path)
    options = parser.parse_args()
    figures, backends = (_read(options.build / name) for name in ("bench.json", "backends.json"))
    if figures is None:
        raise SystemExit(f"bench: {options.build}/bench.json is missing; run: bash tools/bench")
    options.page.write_text(page(figures, backends), encoding="utf-8")


def _read(path: Path) -> Figures | None:
    return t.cast("Figures", json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


if __name__ == "__main__":
    main()
