# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/docsite/rst/issuers_table.rst: in what issuers differ, from the facts that the contract suite tests."""

from __future__ import annotations

import runpy
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "docsite" / "rst" / "issuers_table.rst"
FACTS = ROOT / "plugins" / "plugin_utils" / "_issuers" / "facts.py"
HEAD = """\
..
  SPDX-FileCopyrightText: 2026 Keystead contributors
  SPDX-License-Identifier: GPL-3.0-or-later
  Written by tools/issuers_table.py; change plugins/plugin_utils/_issuers/facts.py instead.

.. _ansible_collections.keystead.identity.docsite.issuers_table:

What issuers do
===============

Each of these is tested against the real thing, but for AWS: there is a stand-in for it, which was corrected by AWS's
documentation.

.. list-table::
  :header-rows: 1
"""


def rows(facts: t.Mapping[str, t.Any], meanings: t.Mapping[str, str]) -> t.Iterator[list[str]]:
    """Yield the cells of each row, the names of the issuers first."""
    yield ["", *(f"``{name}``" for name in facts)]
    for field, meaning in meanings.items():
        yield [meaning, *("yes" if getattr(one, field) else "no" for one in facts.values())]


def page() -> str:
    """Return the page."""
    loaded = runpy.run_path(str(FACTS))
    table = ("\n".join([f"  * - {row[0]}", *(f"    - {cell}" for cell in row[1:])])
             for row in rows(loaded["FACTS"], loaded["MEANINGS"]))  # fmt: skip
    return HEAD + "\n" + "\n".join(line.rstrip() for text in table for line in text.split("\n")) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
