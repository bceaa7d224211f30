# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Statements say which columns they mean, so that a column which a later release adds breaks none (ADR 35)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[5] / "plugins"
TEXT = " ".join(path.read_text(encoding="utf-8") for path in sorted(PLUGINS.rglob("*.py")))
INSERT = re.compile(r"INSERT INTO \w+(?P<rest>.{2})", re.DOTALL)
STAR = re.compile(r"SELECT (DISTINCT )?(\w+\.)?\*|, \w+\.\* FROM|RETURNING \*")


def test_every_insert_names_its_columns() -> None:
    found = [one["rest"] for one in INSERT.finditer(TEXT)]
    assert len(found) > 10
    assert set(found) == {" ("}


def test_no_statement_takes_whatever_columns_there_are() -> None:
    assert STAR.search(TEXT) is None


@pytest.mark.parametrize("unfit", ["SELECT * FROM x", "SELECT e.* FROM x e", "SELECT DISTINCT e.* FROM x e"])
def test_a_statement_that_does_would_be_seen(unfit: str) -> None:
    assert STAR.search(unfit)
