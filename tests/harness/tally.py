# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How many points a test tried, and at how many of them something was wrong: what `make survive` adds up.

A test that says nothing is one point, and one that fails without a word is wrong at one. What is tried in another
process is counted by who started it.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    import pytest

TRIED, WRONG = "tried", "wrong"


class _Points:
    """What the test at hand has tried; `wrong` has the numbers of the points at which something was wrong."""

    tried: int = 0
    wrong: t.ClassVar[set[int]] = set()


def point(count: int = 1) -> None:
    """Begin another point, or say that so many were tried."""
    _Points.tried += count


def wrong() -> None:
    """Say that something is wrong at the point at hand, however often."""
    _Points.wrong.add(_Points.tried)


class Tally:
    """Tells with the report of each test what it tried, also from a worker."""

    def pytest_runtest_call(self) -> None:
        """Count from nothing."""
        _Points.tried = 0
        _Points.wrong.clear()

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Hand over what was counted, whatever became of the test."""
        if call.when == "call":
            item.user_properties += [(TRIED, _Points.tried or 1), (WRONG, len(_Points.wrong))]
