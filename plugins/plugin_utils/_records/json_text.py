# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Records in JSON (RFC 8259): one array of objects. Each is read by itself, so that a wrong one has a line."""

from __future__ import annotations

import json
import re
import typing as t

from ...module_utils._core.errors import Misconfigured

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK = re.compile(r"[ \t\r\n]*")


class _Twice(Exception):
    """A name that an object has twice."""


def entries(path: str, text: str) -> Iterator[tuple[int, dict[str, t.Any]]]:
    """Yield the records of a file with the lines where they begin. Raises Misconfigured."""
    decoder = json.JSONDecoder(object_pairs_hook=_once)
    at = _after(text, 0)
    if text[at : at + 1] != "[":
        raise Misconfigured(f"records: {path}, line 1: it is no array of records; begin with [")
    at = _after(text, at + 1)
    line, counted = 1, 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        found, at = _one(decoder, text, at, f"records: {path}, line {line}")
        yield line, found
        at = _after(text, at)
        if text[at : at + 1] == ",":
            at = _after(text, at + 1)
            if text[at : at + 1] != "]":
                continue
        elif text[at : at + 1] == "]":
            continue
        raise Misconfigured(f"records: {path}, line {_line(text, at)}: after a record, there is neither , nor ]")
    if text[_after(text, at + 1) :]:
        raise Misconfigured(f"records: {path}, line {_line(text, at)}: there is more after the array; take it out")


def _one(decoder: json.JSONDecoder, text: str, at: int, where: str) -> tuple[dict[str, t.Any], int]:
    try:
        found, end = decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        place = re.sub(r"line \d+$", f"line {error.lineno}", where)
        raise Misconfigured(f"{place}: it is no JSON ({error.msg}); correct it") from None
    except _Twice as error:
        raise Misconfigured(f"{where}: field {str(error)[:60]!r} is there twice; write it once") from None
    except (ValueError, RecursionError):
        raise Misconfigured(f"{where}: it is no record; write an object of texts") from None
    if not isinstance(found, dict):
        raise Misconfigured(f'{where}: it is no object; write {{"name": ...}}')
    return found, end


def _once(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _after(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
