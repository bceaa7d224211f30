# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the file is opened, and what is said when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import database
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger

from .telling import batch, intent, outcome

if t.TYPE_CHECKING:
    from pathlib import Path

WHERE = ("web1", "/srv/store")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def make(path: Path) -> str | None:
    ledger = open_ledger(url(path))
    ledger.intend(batch(), [intent()])
    ledger.record(batch(), [outcome()])
    ledger.close()
    return ledger.id


def traces(path: Path) -> dict[str, tuple[bytes, int]]:
    return {found.name: (found.read_bytes(), found.stat().st_mtime_ns) for found in path.parent.iterdir()}


def test_a_ledger_keeps_the_id_that_it_was_made_with(path: Path) -> None:
    made = make(path)
    again = open_ledger(url(path))
    assert again.id == made
    again.close()


def test_durability_is_asked_for(path: Path) -> None:
    ledger = open_ledger(url(path))
    assert ledger.read(
        "SELECT journal_mode, synchronous, foreign_keys, timeout"
        " FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys, pragma_busy_timeout",
    ) == [("wal", 2, 1, 30000)]
    ledger.close()


def test_reading_only_leaves_no_trace(path: Path) -> None:
    made = make(path)
    before = traces(path)
    ledger = open_ledger(url(path), read_only=True)
    assert ledger.id == made
    assert ledger.remembered(*WHERE)["web"].generation == 1
    ledger.close()
    assert traces(path) == before
    assert list(before) == ["ledger.sqlite"]


def test_reading_only_sees_what_a_writer_has_just_written(path: Path) -> None:
    make(path)
    reader = open_ledger(url(path), read_only=True)
    writer = open_ledger(url(path))
    writer.intend(batch(), [intent("api")])
    assert set(reader.remembered(*WHERE)) == {"web", "api"}
    late = open_ledger(url(path), read_only=True)
    assert set(late.remembered(*WHERE)) == {"web", "api"}
    for ledger in (reader, late, writer):
        ledger.close()


def test_reading_only_sees_what_a_writer_wrote_and_closed(path: Path) -> None:
    make(path)
    reader = open_ledger(url(path), read_only=True)
    writer = open_ledger(url(path))
    writer.intend(batch(), [intent("api")])
    writer.close()
    assert set(reader.remembered(*WHERE)) == {"web", "api"}
    reader.close()


@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_reading_only_takes_a_ledger_that_is_not_there_for_an_empty_one_without_an_id(
    path: Path, content: bytes | None
) -> None:
    if content is not None:
        path.write_bytes(content)
    before = traces(path)
    ledger = open_ledger(url(path), read_only=True)
    assert (ledger.id, ledger.remembered(*WHERE), ledger.pinned("x")) == (None, {}, ())
    ledger.close()
    assert traces(path) == before


def test_writing_to_a_ledger_opened_read_only_is_refused(path: Path) -> None:
    make(path)
    ledger = open_ledger(url(path), read_only=True)
    with pytest.raises(Misconfigured, match="may not be written"):
        ledger.record(batch(), [outcome()])
    ledger.close()


def test_an_empty_file_becomes_a_ledger(path: Path) -> None:
    path.touch()
    assert make(path)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_is_no_database_is_named(path: Path, *, read_only: bool) -> None:
    path.write_text("my diary, " * 500)
    with pytest.raises(Misconfigured, match=r"ledger\.sqlite is not a ledger; restore it from a backup, or"):
        open_ledger(url(path), read_only=read_only)
    assert path.read_text() == "my diary, " * 500


@pytest.mark.parametrize("read_only", [True, False])
def test_the_database_of_another_application_is_left_alone(path: Path, *, read_only: bool) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE cookies (name)")
    other.close()
    before = traces(path)
    with pytest.raises(Misconfigured, match="belongs to another application"):
        open_ledger(url(path), read_only=read_only)
    assert traces(path)["ledger.sqlite"] == before["ledger.sqlite"]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_damaged_ledger_is_named_with_the_remedy(path: Path, *, read_only: bool) -> None:
    make(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    with pytest.raises(Misconfigured, match=r"is damaged; put a backup in its place"):
        open_ledger(url(path), read_only=read_only).remembered(*WHERE)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_directory_in_the_place_of_the_ledger_is_named(path: Path, *, read_only: bool) -> None:
    path.mkdir()
    with pytest.raises(Misconfigured, match=r"ledger\.sqlite is a directory"):
        open_ledger(url(path), read_only=read_only)


def test_the_directory_of_an_explicit_path_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file or directory"):
        open_ledger(f"sqlite:///{tmp_path}/typo/ledger.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for read_only in (True, False):
        with pytest.raises(Misconfigured, match="Not a directory"):
            open_ledger(f"sqlite:///{tmp_path}/file/ledger.sqlite", read_only=read_only)


def test_a_ledger_that_another_run_keeps_locked_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(path)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ledger = open_ledger(url(path))
    assert ledger.remembered(*WHERE)["web"].generation == 1
    with pytest.raises(Unavailable, match="was locked by another run"):
        ledger.record(batch(), [outcome()])
    other.execute("ROLLBACK")
    other.close()
    ledger.record(batch(), [outcome()])
    ledger.close()


def test_a_full_file_system_is_unavailable_and_nothing_is_half_written(path: Path) -> None:
    make(path)
    ledger = open_ledger(url(path))
    ledger.read("PRAGMA max_page_count = 1")
    before = ledger.read("SELECT count(*) FROM events")
    with pytest.raises(Unavailable, match="its file system is full"):
        ledger.intend(batch(), [intent(f"i{number}") for number in range(2000)])
    assert ledger.read("SELECT count(*) FROM events") == before
    assert set(ledger.remembered(*WHERE)) == {"web"}
    ledger.close()
