# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Records in CSV (RFC 4180): the first line names the fields, an empty field is none."""

from __future__ import annotations

import csv
import io
import typing as t

from ...module_utils._core.errors import Misconfigured, first_line
from .record import FIELDS

if t.TYPE_CHECKING:
    from collections.abc import Iterator


def entries(path: str, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the records of a file with the lines where they begin. Raises Misconfigured."""
    header: list[str] | None = None
    for line, fields in _lines(path, text):
        if header is None:
            header = _header(fields, f"records: {path}, line {line}")
        elif len(fields) != len(header):
            raise Misconfigured(
                f"records: {path}, line {line}: it has {len(fields)} fields, and the first line names {len(header)}; "
                "quote what has a comma in it"
            )
        else:
            yield line, dict(zip(header, fields, strict=True))
    if header is None:
        raise Misconfigured(f"records: {path} is empty; its first line names the fields")


def _lines(path: str, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        begins = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Misconfigured(
                f"records: {path}, line {begins}: it is no CSV ({first_line(error)}); quote as RFC 4180 says"
            ) from None
        if fields:
            yield begins, fields


def _header(fields: list[str], where: str) -> list[str]:
    for name in fields:
        if name not in FIELDS:
            raise Misconfigured(f"{where}: field {name!r:.60} is unknown; known are {', '.join(FIELDS)}")
        if fields.count(name) > 1:
            raise Misconfigured(f"{where}: field {name} is named twice; name it once")
    return fields
