# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a figure is what was wanted."""

from __future__ import annotations

import typing as t


def at_most(value: float, goal: float | None, stretch: float | None = None) -> str:
    """Return how a cost compares with its goal, and with what was hoped for."""
    if goal is None:
        return ""
    if value > goal:
        return f"MISSED {goal:g}"
    return f"met {stretch:g}" if stretch is not None and value <= stretch else f"met {goal:g}"


def at_least(value: float, goal: float) -> str:
    """Return how a gain compares with its goal."""
    return f"{'met' if value >= goal else 'MISSED'} {goal:g}"


def of(figure: t.Mapping[str, t.Any], name: str) -> str:
    """Return the verdict on the median of cost `name`."""
    return at_most(figure[name]["median"], figure["goal"], figure["stretch"])
