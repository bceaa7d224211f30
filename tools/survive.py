# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run what proves the rows of "Survival" in docs/goals.md, and say of each how much was tried and how much failed."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
GOALS, TABLE, FIGURES = ROOT / "docs" / "goals.md", ROOT / "tests" / "survival.yml", ROOT / "build" / "survive.json"


@dataclass
class Row:
    """One row of the goals: its words there, the node ids of its tests, and what came of them."""

    name: str
    happens: str
    goal: str
    tests: list[str]
    at_least: int = 1
    tried: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    def has(self, nodeid: str) -> bool:
        """Tell whether a test is one of this row's."""
        return any(nodeid == one or nodeid.startswith((f"{one}::", f"{one}[")) for one in self.tests)

    @property
    def too_few(self) -> bool:
        """Whether too little was tried to prove anything, though nothing was missing here."""
        return not self.not_run and self.tried < self.at_least

    def well(self, *, must_run_all: bool) -> bool:
        """Tell whether the row holds."""
        return not (self.failed or self.failures or self.too_few or (must_run_all and self.not_run))

    def line(self, command: str) -> str:
        """Return what is printed of it."""
        parts = [f"{self.tried:6} tried, {self.failed} failed"]
        parts += [f"FEWER THAN {self.at_least}"] if self.too_few else []
        parts += [f"{len(self.not_run)} NOT RUN"] if self.not_run else []
        return f"{', '.join(parts)}   {self.happens}: {self.goal} ({command} {self.name})"


class Counted:
    """A plugin of pytest that keeps what each test tried."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.tests: dict[str, tuple[int, int]] = {}
        self.not_run: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up the report of a test, or of what stands around it."""
        if report.when != "call" and not report.failed:
            return
        said = dict(report.user_properties)
        tried, wrong = t.cast("int", said.get("tried", 1)), t.cast("int", said.get("wrong", 0))
        before = self.tests.get(report.nodeid, (0, 0))[1]
        self.tests[report.nodeid] = tried, max(wrong, before, int(report.failed))

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Take over what this machine cannot run (tests/needs.py)."""
        self.not_run = getattr(config.pluginmanager.get_plugin("keystead-needs"), "not_run", {})


def table() -> dict[str, Row]:
    """Return the rows, in the order of the goals."""
    section = GOALS.read_text(encoding="utf-8").partition("\n## Survival\n")[2].partition("\n## ")[0]
    words = re.findall(r"^\| (.+?) \| .*?\| ([^|]+) \| `(\w+)` \|$", section, re.MULTILINE)
    proofs = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    if [name for _happens, _goal, name in words] != list(proofs):
        raise SystemExit(f"survive: {GOALS.name} and {TABLE.name} do not have the same rows, in the same order")
    return {
        name: Row(name, happens, goal, node_ids(proofs[name]["tests"]), proofs[name].get("at_least", 1))
        for happens, goal, name in words
    }


def node_ids(tests: t.Mapping[str, t.Sequence[str]]) -> list[str]:
    """Return what pytest is told: files, or the tests of a file."""
    return [one for path, names in tests.items() for one in ([f"{path}::{name}" for name in names] or [path])]


def run(rows: t.Sequence[Row], *arguments: str) -> int:
    """Run the tests of some rows, each once, and write down in the rows what came of them; return pytest's verdict."""
    counted = Counted()
    ids = list(dict.fromkeys(one for row in rows for one in row.tests))
    workers = min(os.cpu_count() or 1, len({one.partition("::")[0] for one in ids}))
    spread = ["--numprocesses", str(workers), "--dist", "loadfile"] if workers > 1 else []
    verdict = pytest.main(["-q", "--tb=short", *spread, *arguments, *ids], plugins=[counted])
    for row in rows:
        found = {nodeid: counts for nodeid, counts in counted.tests.items() if row.has(nodeid)}
        row.tried, row.failed = (sum(counts[which] for counts in found.values()) for which in (0, 1))
        row.failures = sorted(nodeid for nodeid, counts in found.items() if counts[1])
        row.not_run = sorted(f"{one}: {'; '.join(why)}" for one, why in counted.not_run.items() if row.has(one))
    return int(verdict)


def report(rows: t.Sequence[Row], options: argparse.Namespace, *, must_run_all: bool) -> None:
    """Print the rows, and keep them."""
    seed = [] if options.seed is None else [f"--seed {options.seed}"]
    command = " ".join([*(["LONG=1"] if options.long else []), "bash tools/survive", *seed])
    print()
    for row in rows:
        print(row.line(command))
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], check=False, capture_output=True, text=True)  # noqa: S603, S607
    said = {
        "when": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "commit": commit.stdout.strip(), "long": options.long,
        "seed": options.seed, "rows": [{**vars(row), "well": row.well(must_run_all=must_run_all)} for row in rows],
    }  # fmt: skip
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    print(f"\nthe figures: {FIGURES.relative_to(ROOT)}")


def main() -> int:
    """Return 1 where a row does not hold."""
    rows = table()
    parser = argparse.ArgumentParser(prog="tools/survive", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these; there are {', '.join(rows)}")
    parser.add_argument("--seed", type=int, help="draw what is random from this, in place of the usual seed")
    parser.add_argument("--long", action="store_true", help="every point of every sweep; LONG=1 says the same")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(rows):
        parser.error(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(rows)}")
    if options.long:
        os.environ["KEYSTEAD_SURVIVE"] = "long"
    arguments = []
    if options.seed is not None:
        os.environ["KEYSTEAD_SEED"] = str(options.seed)
        arguments = [f"--hypothesis-seed={options.seed}"]
    chosen = [row for name, row in rows.items() if not options.rows or name in options.rows]
    must_run_all = os.environ.get("CI") == "true"
    verdict = run(chosen, *arguments)
    report(chosen, options, must_run_all=must_run_all)
    unwell = [row.name for row in chosen if not row.well(must_run_all=must_run_all)]
    if unwell:
        print(f"survive: FAILED: {' '.join(unwell)}")
    return int(bool(unwell) or verdict not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED))


if __name__ == "__main__":
    sys.exit(main())
