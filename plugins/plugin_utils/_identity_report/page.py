# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The page: one file of HTML that needs no other, makes no connection, and runs nothing but what is hashed in it.

Everything that others may have written reaches it by the escaping of the template or as data of JSON, which the script
puts into the page as text and never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t
from pathlib import Path

from . import charts, sentences, views

if t.TYPE_CHECKING:
    from .figures import Figures

MADE_AT = re.compile(rb'<time id="made" datetime="[^"]*">[^<]*</time>')
FIRST_ROWS = 25
"""Rows of a table that are there without the script."""
_HEADER = re.compile(r"\A/\*.*?\*/\s*", re.DOTALL)
_IN_MARKUP = str.maketrans({one: f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"})


def as_html(figures: Figures) -> bytes:
    """Return the page."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style, script = _asset("page.css"), _asset("page.js")
    tables = views.tables(figures)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = views.shown
    text = environment.from_string(_read("page.html.j2")).render(
        policy=_content_security_policy(style, script), style=Markup(style), script=Markup(script),  # noqa: S704
        data=Markup(_island(tables)), report=figures, tables={one.name: one for one in tables},  # noqa: S704
        first_rows=FIRST_ROWS, charts=charts, words=sentences,
    )  # fmt: skip
    return text.encode("utf-8", "replace")


def _content_security_policy(style: str, script: str) -> str:
    """Return what lets this style and this script work, and nothing else, from nowhere else (CSP level 3)."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _island(tables: t.Sequence[views.Table]) -> str:
    """Return the data of all tables, as JSON that may stand in markup."""
    told = {one.name: {"columns": [column.as_data() for column in one.columns], "rows": one.rows} for one in tables}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).translate(_IN_MARKUP)


def _asset(name: str) -> str:
    """Return a style or a script as it stands in the page, without the header of its file."""
    return _HEADER.sub("", _read(name), count=1)


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
