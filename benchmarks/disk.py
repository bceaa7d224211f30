# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a disk charges for a file that is taken away: nearly nothing, or a millisecond where each block is discarded.

A file system without a journal that is mounted with `discard` tells the disk of every block that it frees, and waits
for it, one after the other, whoever else waits. Nothing that runs there can be faster.
"""

from __future__ import annotations

import os
import time
import typing as t

from .figures import Figures, spread

if t.TYPE_CHECKING:
    from pathlib import Path

FILES, ROUNDS = 20, 5
DEAR = 0.2  # milliseconds; a file system with a journal takes a hundredth
OF_A_GENERATION = 9  # eight files, and their directory


def removal(place: Path) -> Figures:
    """Return the milliseconds that it takes to take a file away that had reached the disk, in `place`."""
    return spread(_round(place) for _ in range(ROUNDS))


def _round(place: Path) -> float:
    paths = [place / f"removed{number}" for number in range(FILES)]
    for path in paths:
        with path.open("wb") as file:
            file.write(b"x" * 2000)
            file.flush()
            os.fsync(file.fileno())
    start = time.monotonic()
    for path in paths:
        path.unlink()
    return 1000 * (time.monotonic() - start) / FILES


def warning(charge: Figures) -> str | None:
    """Return why figures of what takes files away say more of this disk than of us."""
    if charge["median"] <= DEAR:
        return None
    return (
        f"this disk takes {charge['median']:.2f} ms to take a file away (it is mounted with discard), one after the "
        f"other; a generation that is replaced is {OF_A_GENERATION} of them: {OF_A_GENERATION * charge['median']:.1f} "
        "ms of these are the disk's; set BENCH_PLACE to a directory of another file system"
    )
