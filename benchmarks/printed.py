# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every benchmark says: progress on stderr, a figure with its quartiles, and how busy the machine was."""

from __future__ import annotations

import sys
import textwrap
import typing as t

from .machine import warning

Figures = t.Mapping[str, t.Any]


def say(line: str) -> None:
    """Say how far it is."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def spread(figure: Figures, digits: int = 2) -> str:
    """Return a median and its quartiles."""
    median, low, high = (f"{figure[name]:.{digits}f}" for name in ("median", "low", "high"))
    return f"{median} ({low} to {high})"


def load(result: Figures) -> t.Iterator[str]:
    """Yield how busy the machine was, and whether that is too much."""
    seen = result["load"]
    yield f"\nload {seen['begin']:.1f} before, {seen['end']:.1f} after; others used {seen['others']:.0%} meanwhile"
    busy = warning(seen, result["machine"]["processors"])
    if busy:
        yield from textwrap.wrap(f"WARNING: {busy}", 80)
