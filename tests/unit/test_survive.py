# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The table that `make survive` runs: its tests exist, and what they say is added up right."""

from __future__ import annotations

import ast
import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_core

ROOT = Path(__file__).resolve().parents[2]
SURVIVE = runpy.run_path(str(ROOT / "tools" / "survive.py"), run_name="survive")
ROWS = SURVIVE["table"]()

GOALS = """
## Survival

| what happens | elsewhere | here | row |
|---|---|---|---|
| it is swept | | nothing is wrong | `swept` |
| it stops at the first | | nothing is wrong | `stopped` |
| it is whole | 3 of 4 | all `good` | `whole` |
| it lacks something | | nothing is wrong | `lacking` |
| it tries little | | nothing is wrong | `little` |
"""
TABLE = """
swept: {tests: {tests/test_made.py: [test_sweep]}}
stopped: {tests: {tests/test_made.py: [test_stops]}}
whole: {at_least: 6, tests: {tests/test_made.py: [test_points, test_each]}}
lacking: {at_least: 2, tests: {tests/test_made.py: [test_lacks, test_each]}}
little: {at_least: 3, tests: {tests/test_made.py: [test_each]}}
"""
TESTS = """
import pytest
from ansible_collections.keystead.identity.tests.harness import tally

def test_sweep():
    for number in range(5):
        tally.point()
        if number in (1, 3):
            tally.wrong()
            tally.wrong()
    assert False

def test_stops():
    for number in range(5):
        tally.point()
        assert number < 2

def test_points():
    tally.point(4)

@pytest.mark.parametrize("one", "ab")
def test_each(one):
    pass

@pytest.mark.needs("old_cryptography")
def test_lacks():
    pass
"""


@pytest.mark.parametrize("name", ROWS)
def test_every_test_that_proves_a_row_exists(name: str) -> None:
    for one in ROWS[name].tests:
        path, _, test = one.partition("::")
        there = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        tests = [node.name for node in there if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
        assert test in tests if test else tests, f"{one} is gone; tests/survival.yml names it"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with a table and tests of its own."""
    made = tmp_path_factory.mktemp("survive")
    for name in ("tools/survive.py", "tests/conftest.py", "tests/needs.py", "tests/harness/tally.py", "galaxy.yml",
                 "pyproject.toml"):  # fmt: skip
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, made / name)
    for name, content in (("docs/goals.md", GOALS), ("tests/survival.yml", TABLE), ("tests/test_made.py", TESTS)):
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(content, encoding="utf-8")
    return made


def survive(place: Path, *arguments: str, **environment: str) -> tuple[int, list[str]]:
    """Run it where one need is never met; return its exit code and its lines."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE", "CI", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "tools/survive.py", *arguments], cwd=place, check=False, capture_output=True, text=True,
        timeout=300, env={**kept, "OLD_PYTHON": "/nowhere", **environment},
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines()


def test_what_was_tried_and_what_failed_is_added_up_for_each_row(place: Path) -> None:
    code, lines = survive(place)
    rows = [line.strip() for line in lines if "bash tools/survive" in line]
    assert rows == [
        "5 tried, 2 failed   it is swept: nothing is wrong (bash tools/survive swept)",
        "3 tried, 1 failed   it stops at the first: nothing is wrong (bash tools/survive stopped)",
        "6 tried, 0 failed   it is whole: all `good` (bash tools/survive whole)",
        "2 tried, 0 failed, 1 NOT RUN   it lacks something: nothing is wrong (bash tools/survive lacking)",
        "2 tried, 0 failed, FEWER THAN 3   it tries little: nothing is wrong (bash tools/survive little)",
    ]
    assert (code, lines[-1]) == (1, "survive: FAILED: swept stopped little")
    kept = {row["name"]: row for row in json.loads((place / "build" / "survive.json").read_text())["rows"]}
    assert [name for name, row in kept.items() if row["well"]] == ["whole", "lacking"]
    assert kept["swept"]["failures"] == ["tests/test_made.py::test_sweep"]
    assert "/nowhere has no cryptography" in kept["lacking"]["not_run"][0]


@pytest.mark.parametrize(
    ("arguments", "environment", "code"),
    [(["lacking"], {}, 0), (["lacking"], {"CI": "true"}, 1), (["unheard"], {}, 2)],
)
def test_rows_run_alone_and_what_cannot_run_here_fails_where_all_must(
    place: Path, arguments: list[str], environment: dict[str, str], code: int
) -> None:
    found, lines = survive(place, *arguments, **environment)
    assert found == code, lines
