# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The mark of a listener: what it shows, and that it is to go on. It reads it again whenever somebody replaced it."""

from __future__ import annotations

import json
import os
import typing as t

from .safe_files import read_file, write_file

_MARK = "listening-"
_PUBLIC = 0o644  # a listener has no rights, and what it shows is public
_LARGEST = 8 << 20


class Mark(t.NamedTuple):
    """Whose listener it is, how often it was prolonged and for how many seconds the last time, and tokens' contents."""

    secret: str
    turn: int
    seconds: float
    contents: t.Mapping[str, str]


def ports(records: int) -> list[int]:
    """Return the ports that have a mark in the directory of records."""
    found = (entry[len(_MARK) :] for entry in os.listdir(records) if entry.startswith(_MARK))
    return [int(port) for port in found if port.isdigit()]


def name(port: int) -> str:
    """Return the name of a mark."""
    return f"{_MARK}{port}"


def read(records: int, port: int) -> Mark | None:
    """Return the mark of a port; None where there is none, or it cannot be read."""
    try:
        secret, turn, seconds, contents = json.loads(read_file(records, name(port), _LARGEST) or b"")
        return Mark(str(secret), int(turn), float(seconds), {str(one): str(two) for one, two in contents.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def write(records: int, port: int, mark: Mark) -> None:
    """Put a mark there, whole."""
    write_file(records, name(port), json.dumps(mark).encode(), mode=_PUBLIC)
