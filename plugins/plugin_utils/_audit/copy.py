# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An exported copy of the record: JSON lines that anybody can check without us, and we can.

The first line says where it begins, and the last one where it ends. Between them each line is one event in canonical
JSON (RFC 8785), whose `prev` is the SHA-256 of the line before it; so is a checkpoint after the event that it is of.
The last line has the SHA-256 of all the bytes before it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import typing as t
import zlib
from contextlib import contextmanager

from .._ledger.entry import Entry, called, text
from .._ledger.walk import Broken, Point, Walk

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FORMAT = "keystead-events-1"
_FIRST = {"format": str, "hash": str, "ledger": str, "seq": int}
LONGEST = 4 * 1024 * 1024
"""Bytes of a line."""


class Writer:
    """Writes the lines of a copy, one after the other."""

    def __init__(self, file: t.IO[bytes], ledger: str, start: Point) -> None:
        """Write where it begins."""
        self._file, self._sum, self._link = file, hashlib.sha256(), start.hash
        self._line(_line({"format": FORMAT, "hash": start.hash, "ledger": ledger, "seq": start.seq}))

    def event(self, entry: Entry, found: str) -> None:
        """Write an event, whose hash is `found`."""
        self._line(text(self._link, entry))
        self._link = found

    def checkpoint(self, signed: str) -> None:
        """Write a checkpoint of the event that was written last."""
        self._line(_line({"checkpoint": signed}))

    def end(self, last: Point) -> None:
        """Write where it ends."""
        self._line(_line({"end": {"hash": last.hash, "seq": last.seq, "sha256": self._sum.hexdigest()}}))

    def _line(self, told: str) -> None:
        line = told.encode() + b"\n"
        self._sum.update(line)
        self._file.write(line)


class Copy(t.NamedTuple):
    """What a copy says: whose it is, from where to where it goes, and its checkpoints, each with where it stands."""

    ledger: str
    start: Point
    end: Point
    checkpoints: tuple[tuple[Point, str], ...]


Expected = t.Callable[[str], "Mapping[int, tuple[str, str]]"]
"""Returns what Walk expects of a ledger."""


def read(path: Path, expected: Expected) -> Copy:
    """Go along a copy. Raises Broken and OSError."""
    with _lines(path) as lines:
        return _Reading(lines, expected).done()


class _Reading:
    """One way through a copy."""

    def __init__(self, lines: Iterable[bytes], expected: Expected) -> None:
        self._lines, self._sum, self._number = iter(lines), hashlib.sha256(), 0
        self._expected, self._checkpoints = expected, list[tuple[Point, str]]()

    def done(self) -> Copy:
        first = self._canonical()
        check_first(first)
        start = Point(first["seq"], first["hash"])
        walk = Walk(start, self._expected(first["ledger"]))
        while self._take(walk):
            pass
        if next(self._lines, None) is not None:
            raise Broken(f"line {self._number + 1} stands behind the end")
        return Copy(first["ledger"], start, walk.at, tuple(self._checkpoints))

    def _take(self, walk: Walk) -> bool:
        """Take the next line; return whether it was not the end."""
        said = self._next()
        if "prev" in said:
            self._event(walk, said)
            return True
        self._check_is_canonical(said)
        if {*said} == {"checkpoint"} and isinstance(said["checkpoint"], str):
            self._checkpoints.append((walk.at, said["checkpoint"]))
            return True
        if said != {"end": {"hash": walk.at.hash, "seq": walk.at.seq, "sha256": self._before}}:
            raise Broken(f"line {self._number} is neither an event nor the end of those before it")
        return False

    def _event(self, walk: Walk, said: dict[str, t.Any]) -> None:
        try:
            said["actor"] = _line(said["actor"])
            link, entry = said.pop("prev"), Entry(**said)
            whole = text(link, entry) == self._line
        except (TypeError, KeyError, ValueError):
            raise Broken(f"line {self._number} is no event that a release has written") from None
        if not whole:
            raise Broken(f"line {self._number}, {called(entry)}, is not as it was written")
        if entry.seq == walk.at.seq + 1 and link != walk.at.hash:
            raise Broken(f"line {self._number}: the event before {called(entry)} is not what was written")
        try:
            walk.accept(entry, hashlib.sha256(self._line.encode()).hexdigest())
        except Broken as broken:
            raise Broken(f"line {self._number}: {broken}") from None

    def _canonical(self) -> dict[str, t.Any]:
        said = self._next()
        self._check_is_canonical(said)
        return said

    def _check_is_canonical(self, said: dict[str, t.Any]) -> None:
        if _line(said) != self._line:
            raise Broken(f"line {self._number} is not as it was written")

    def _next(self) -> dict[str, t.Any]:
        """Return what the next line says. Raises Broken where that is nothing."""
        self._number += 1
        self._before = self._sum.hexdigest()
        line = next(self._lines, b"")
        self._sum.update(line)
        if not line:
            raise Broken(f"line {self._number} is missing, and with it the end")
        try:
            self._line = line[:-1].decode()
            said = json.loads(self._line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or not line.endswith(b"\n"):
            raise Broken(f"line {self._number} is not as it was written")
        return said


def check_first(said: t.Any) -> None:
    """Raise Broken for what is not the first line of a copy."""
    if not isinstance(said, dict) or {name: type(value) for name, value in said.items()} != _FIRST:
        raise Broken(f"line 1 is not the beginning of a copy of the form {FORMAT}")
    if said["format"] != FORMAT or said["seq"] < 0:
        raise Broken(f"line 1 is not the beginning of a copy of the form {FORMAT}")


def ledger_of(path: Path) -> str | None:
    """Return of which ledger the file is a copy, by its first line; None where it is none."""
    try:
        with _lines(path) as lines:
            said = json.loads(next(iter(lines), b""))
        check_first(said)
        return str(said["ledger"])
    except (OSError, ValueError, RecursionError, Broken):
        return None


def _line(value: t.Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[bytes]]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            yield iter(lambda: file.readline(LONGEST), b"")
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise Broken("what is packed in it is damaged") from None
