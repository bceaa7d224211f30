# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print requirements.txt and the named dependency groups of pyproject.toml, one requirement a line.

Older versions of pip cannot read dependency groups (PEP 735) themselves.
"""

from __future__ import annotations

import sys
import tomllib
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def members(groups: dict[str, list[t.Any]], name: str) -> t.Iterator[str]:
    """Yield the requirements of a group and of those that it includes."""
    for entry in groups[name]:
        if isinstance(entry, dict):
            yield from members(groups, entry["include-group"])
        else:
            yield entry


def main(names: list[str]) -> None:
    """Print what the controller needs, then what the groups need."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    for name in names:
        wanted.extend(members(groups, name))
    print("\n".join(dict.fromkeys(wanted)))


if __name__ == "__main__":
    main(sys.argv[1:])
