# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the shapes of the charts stand: plain geometry for SVG, in units of its view box."""

from __future__ import annotations

import math
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 960, 200
LEFT, BOTTOM, TOP = 40, 26, 10
_STEPS = (10, 12, 16, 20, 24, 30, 40, 50, 60, 80, 100)
"""Tenths of a power of ten at which an axis may end."""
GAP = 0.28
"""What part of the room of a bar stays free."""


class Bar(t.NamedTuple):
    """A bar with its place and its size, what it stands for, and the class that colours it."""

    x: float
    y: float
    width: float
    height: float
    label: str
    number: int
    tone: str = ""


class Tick(t.NamedTuple):
    """A place on an axis and what is written there."""

    at: float
    label: str


class Chart(t.NamedTuple):
    """Bars over an axis."""

    bars: list[Bar]
    rows: list[Tick]
    columns: list[Tick]


def days(counted: Sequence[Mapping[str, t.Any]]) -> Chart:
    """Return the chart of what ends by day: a week that is red, the rest of a month that is amber."""
    tones = ["high" if number < 7 else "medium" if number < 30 else "" for number in range(len(counted))]
    labels = [one["day"] for one in counted]
    ticks = {number: _short(day) for number, day in enumerate(labels) if number % 14 == 0}
    return _chart(labels, [one["count"] for one in counted], tones, ticks)


def months(counted: Sequence[Mapping[str, t.Any]]) -> Chart:
    """Return the chart of what ends by month."""
    labels = [one["month"] for one in counted]
    ticks = {number: month for number, month in enumerate(labels) if number % 3 == 0}
    return _chart(labels, [one["count"] for one in counted], [""] * len(labels), ticks)


def shares(parts: Sequence[tuple[str, int]], width: float = 1000, gap: float = 3) -> list[Bar]:
    """Return the parts of a whole side by side; what there is none of is left out, and what is little stays seen."""
    there = [(name, count) for name, count in parts if count]
    total = sum(count for _name, count in there)
    room = width - gap * max(0, len(there) - 1)
    least = min(6.0, room / max(1, len(there)))
    over = sum(max(0.0, least - room * count / total) for _name, count in there)
    large = sum(count for _name, count in there if room * count / total >= least)
    found, x = [], 0.0
    for name, count in there:
        plain = room * count / total
        size = least if plain < least else plain - over * count / large
        found.append(Bar(round(x, 2), 0, round(size, 2), 16, name, count, name))
        x += size + gap
    return found


def _chart(labels: Sequence[str], counts: Sequence[int], tones: Sequence[str], ticks: Mapping[int, str]) -> Chart:
    top = nice(max(counts, default=0))
    each, high = (WIDTH - LEFT) / max(1, len(counts)), HEIGHT - BOTTOM - TOP
    bars = []
    for number, (label, count, tone) in enumerate(zip(labels, counts, tones, strict=True)):
        height = max(2.0, high * count / top) if count else 0.0
        x, y = LEFT + each * (number + GAP / 2), HEIGHT - BOTTOM - height
        bars.append(Bar(round(x, 2), round(y, 2), round(each * (1 - GAP), 2), round(height, 2), label, count, tone))
    rows = [Tick(round(HEIGHT - BOTTOM - high * part, 2), f"{round(top * part):,}") for part in (0, 0.5, 1)]
    columns = [Tick(round(LEFT + each * (number + 0.5), 2), label) for number, label in ticks.items()]
    return Chart(bars, rows, columns)


def nice(most: int) -> int:
    """Return an even number that is not less, and easy to read on an axis."""
    if most <= 2:
        return 2
    power = 10 ** math.floor(math.log10(most))
    tops = (step * power // 10 for step in _STEPS if step * power % 10 == 0)
    return next(int(top) for top in tops if top >= most and top % 2 == 0)


_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _short(day: str) -> str:
    return f"{int(day[8:])} {_NAMES[int(day[5:7]) - 1]}"
