# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A copy of the record shows every change of it, down to the byte."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._audit import copy
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.entry import Entry, digest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.walk import Broken, Point
from ansible_collections.keystead.identity.tests.harness import tally

if t.TYPE_CHECKING:
    from pathlib import Path

ID = "0f5e1c0a-0000-4000-8000-000000000000"
EVENTS = 6


def events() -> t.Iterator[tuple[Entry, str]]:
    link = ID
    for seq in range(1, EVENTS + 1):
        actor = '{"controller":"ctl","playbook":null}'
        one = Entry(seq, 1 + seq // 4, "2026-01-31T09:00:00.000Z", "web1", "/srv", actor, "web", seq, "issue", "due",
                    "ok", "Grüße \u202e", seq * 10, 1)
        link = digest(link, one)
        yield one, link


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    file = io.BytesIO()
    writer, last = copy.Writer(file, ID, Point(0, ID)), Point(0, ID)
    for one, found in events():
        writer.event(one, found)
        last = Point(one.seq, found)
        if one.seq in (2, 4):
            writer.checkpoint(f"eyJ.{one.seq}.signed")
    writer.end(last)
    return file.getvalue().splitlines(keepends=True)


def read(content: bytes, directory: Path, name: str = "copy.jsonl") -> copy.Copy | str:
    path = directory / name
    path.write_bytes(content)
    try:
        return copy.read(path, lambda _ledger: {})
    except Broken as broken:
        return str(broken)


def test_what_nobody_touched_is_whole(lines: list[bytes], tmp_path: Path) -> None:
    found = read(b"".join(lines), tmp_path)
    assert isinstance(found, copy.Copy)
    assert (found.ledger, found.start, found.end.seq) == (ID, Point(0, ID), EVENTS)
    assert [(point.seq, signed) for point, signed in found.checkpoints] == [(2, "eyJ.2.signed"), (4, "eyJ.4.signed")]


def test_a_packed_one_is_the_same(lines: list[bytes], tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(lines))
    assert read(packed, tmp_path, "copy.jsonl.gz") == read(b"".join(lines), tmp_path)
    assert isinstance(read(packed[:-20], tmp_path, "copy.jsonl.gz"), str)


def test_anybody_can_follow_it_with_sha256_alone(lines: list[bytes]) -> None:
    told = [line for line in lines[1:-1] if b'"prev"' in line]
    for before, after in itertools.pairwise(told):
        assert json.loads(after)["prev"] == hashlib.sha256(before.rstrip(b"\n")).hexdigest()
    assert json.loads(lines[-1])["end"]["sha256"] == hashlib.sha256(b"".join(lines[:-1])).hexdigest()


def test_every_changed_byte_is_seen(lines: list[bytes], tmp_path: Path) -> None:
    content, unseen = b"".join(lines), []
    for place in range(len(content)):
        tally.point()
        other = content[:place] + bytes([content[place] ^ (1 + place % 255)]) + content[place + 1 :]
        if not isinstance(read(other, tmp_path), str):
            tally.wrong()
            unseen.append(place)
    assert unseen == []


def test_every_added_and_every_missing_byte_is_seen(lines: list[bytes], tmp_path: Path) -> None:
    content = b"".join(lines)
    for place in range(0, len(content), 3):
        tally.point(2)
        assert isinstance(read(content[:place] + b" " + content[place:], tmp_path), str), place
        assert isinstance(read(content[:place] + content[place + 1 :], tmp_path), str), place


@pytest.mark.parametrize("number", range(EVENTS + 4))
def test_every_dropped_doubled_or_swapped_line_is_seen(lines: list[bytes], tmp_path: Path, number: int) -> None:
    dropped = [*lines[:number], *lines[number + 1 :]]
    doubled = [*lines[: number + 1], *lines[number:]]
    for changed in (dropped, doubled, lines[: number + 1][:-1]):
        assert isinstance(read(b"".join(changed), tmp_path), str)
    if number + 1 < len(lines):
        swapped = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
        assert isinstance(read(b"".join(swapped), tmp_path), str)


def test_the_first_broken_record_is_named(lines: list[bytes], tmp_path: Path) -> None:
    changed = [*lines]
    changed[4] = changed[4].replace(b'"due"', b'"old"')
    assert read(b"".join(changed), tmp_path) == (
        "line 6: the event before event 4 (issue of web on web1) is not what was written"
    )
    assert read(b"".join(lines[:1] + lines[2:]), tmp_path) == "line 2: event 1 is missing"


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"null\n", b"[]\n", b"{}\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'{"format":"keystead-1"}\n'],
)
def test_what_is_no_copy_is_called_so(content: bytes, tmp_path: Path) -> None:
    found = read(content, tmp_path)
    assert isinstance(found, str)
    assert found.startswith("line 1 ")
