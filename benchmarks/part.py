# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A benchmark of its own beside those of the page: its arguments, its directory, and its file of figures.

BENCH_PLACE names another directory than build/ to work in: one of a file system that is to be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import typing as t
from pathlib import Path

from .ground import unused
from .runner import Unexpected, give_up

if t.TYPE_CHECKING:
    from .figures import Figures


class Part(t.NamedTuple):
    """It works below build/`name` and writes build/`name`.json. `run` takes a new directory, and how many rounds."""

    name: str
    about: str
    rounds: int
    quick_rounds: int
    run: t.Callable[[Path, int], Figures]
    lines: t.Callable[[Figures], t.Iterable[str]]


def main(part: Part) -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=part.about)
    parser.add_argument("build", type=Path, help="the directory below which everything is written")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    kept = options.build / f"{part.name}.json"
    kept.unlink(missing_ok=True)  # what fails now leaves no figures of earlier
    find_collection()
    try:
        place = Path(os.environ.get("BENCH_PLACE") or options.build)
        result = part.run(unused(place / part.name), part.quick_rounds if options.quick else part.rounds)
    except Unexpected as error:
        give_up(error)
    kept.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(part.lines(result)))


def find_collection() -> None:
    """Let the tests' harness be imported from where ansible-playbook finds the collection."""
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    _AnsibleCollectionFinder(paths=os.environ["ANSIBLE_COLLECTIONS_PATH"].split(os.pathsep))._install()  # noqa: SLF001
