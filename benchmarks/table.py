# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The figures on a terminal of 80 columns."""

from __future__ import annotations

import textwrap
import typing as t

from . import verdict
from .printed import load, spread
from .scenarios import BACKENDS, WORK

Figures = t.Mapping[str, t.Any]


def lines(result: Figures) -> t.Iterator[str]:
    """Yield everything that a run found out."""
    yield from _ours(result["rows"])
    yield from _slopes(result["slopes"])
    if result["duels"]:
        yield from _duels(result["duels"])
    yield from load(result)


def of_backends(result: Figures) -> t.Iterator[str]:
    """Yield what was found out with real servers."""
    for name, title in BACKENDS.items():
        found = result[name]
        if found.get("lack"):
            yield from textwrap.wrap(f"NOT MEASURED: {title}: {found['lack']}", 80, initial_indent="\n")
            continue
        yield f"\n{title}"
        yield from _ours(found["rows"])
        if "slopes" in found:
            yield from _slopes(found["slopes"])
            call = found["sign_milliseconds"]
            yield (
                f"one sign call alone, ms: {spread(call)}; "
                "the goal is two and 3 ms"
            )
    yield from load(result)


def _ours(rows: t.Sequence[Figures]) -> t.Iterator[str]:
    yield "\nhosts x identities      ping s  ours s  x ping (quartiles)  in CPU  goal"
    for row in rows:
        ratio = row["ratio"]
        yield (
            f"{_size(row)} {WORK[row['work']]:<14}"
            f"{row['ping_seconds']['median']:>6.2f} {row['seconds']['median']:>7.2f}"
            f"{ratio['median']:>8.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})"
            f"{row['cpu_ratio']['median']:>8.2f}  {verdict.of(row, 'ratio')}"
        )


def _slopes(slopes: t.Sequence[Figures]) -> t.Iterator[str]:
    yield "\none more identity, ms         (quartiles)     in CPU  above ping  goal"
    for slope in slopes:
        cost = slope["milliseconds"]
        between = f"{slope['from']}-{slope['to']}"
        yield (
            f"{WORK[slope['work']]:<14} {between:<7}{cost['median']:>7.2f} ({cost['low']:.2f} to {cost['high']:.2f})"
            f"{slope['cpu_milliseconds']['median']:>10.2f}{slope['above_ping']['median']:>12.2f}"
            f"  {verdict.of(slope, 'above_ping')}"
        )


def _duels(duels: t.Sequence[Figures]) -> t.Iterator[str]:
    yield "\ncommunity.crypto                               theirs s  ours s  times  goal"
    for one in duels:
        factor = one["factor"]["median"]
        yield (
            f"{_size(one)} {WORK[one['work']]:<14}{one['title']:<24}{one['rival_seconds']['median']:>7.1f}"
            f"{one['seconds']['median']:>8.2f}{factor:>7.0f}  {verdict.at_least(factor, one['goal'])}"
        )


def _size(row: Figures) -> str:
    return f"{row['hosts']:>2} x {row['identities']:<4}"
