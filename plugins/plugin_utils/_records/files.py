# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Files with records of other systems: CSV or JSON, read whole, within bounds, and refused by line."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured, first_line
from .record import row

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._rows.row import Row

LARGEST = 64 << 20
MOST = 100_000

Entry = tuple[int, t.Mapping[str, t.Any]]
"""The number of a line, and the fields that stand there."""


def read(paths: t.Sequence[str], *, most: int = MOST) -> list[Row]:
    """Return the rows of all files, in their order. Raises Misconfigured with file, line and field of what is wrong."""
    found: list[Row] = []
    for path in dict.fromkeys(paths):
        for line, fields in _entries(path):
            if len(found) == most:
                raise Misconfigured(f"records: {path}, line {line}: there are more than {most} records; leave some out")
            found.append(row(fields, f"records: {path}, line {line}", len(found), f"{path}:{line}"))
    return found


def _entries(path: str) -> Iterable[Entry]:
    reader = {".csv": _csv, ".json": _json}.get(Path(path).suffix.lower())
    if reader is None:
        raise Misconfigured(f"records: {path} ends neither in .csv nor in .json; call it by what it holds")
    return reader(path, _text(path))


def _csv(path: str, text: str) -> Iterator[Entry]:
    from .csv_text import entries

    return entries(path, text)


def _json(path: str, text: str) -> Iterator[Entry]:
    from .json_text import entries

    return entries(path, text)


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would be waited for
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Misconfigured(f"records: {path} is no regular file; name one")
            content = file.read(LARGEST + 1)
    except OSError as error:
        why = error.strerror or first_line(error)
        raise Misconfigured(f"records: {path} cannot be read on the controller ({why}); correct it") from None
    if len(content) > LARGEST:
        raise Misconfigured(f"records: {path} has more than {LARGEST >> 20} MiB; leave some records out")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misconfigured(f"records: {path}, line {line}: it is not text in UTF-8; save it as such") from None
