# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A lock keeps others out for a moment, and none of them for ever."""

from __future__ import annotations

import fcntl
import os
import threading
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._host import locks

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> t.Iterator[int]:
    """Return an open directory."""
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def test_who_waits_too_long_is_told_which_file_is_locked(
    directory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_PATIENCE", 0.05)
    with (
        locks.locked(directory, "lock"),
        pytest.raises(Unavailable, match=f"^host: {tmp_path}/lock is locked by another process; end it"),
        locks.locked(directory, "lock"),
    ):
        pytest.fail("two had the lock")


@pytest.mark.parametrize("holder_does", ["nothing", "replaces", "removes"])
def test_who_waited_gets_the_file_that_is_there_now(directory: int, tmp_path: Path, holder_does: str) -> None:
    got: list[int] = []

    def wait() -> None:
        with locks.locked(directory, "lock") as fd:
            got.append(os.fstat(fd).st_ino)

    waiter = threading.Thread(target=wait)
    with locks.locked(directory, "lock"):
        waiter.start()
        waiter.join(0.05)
        assert got == []
        if holder_does == "replaces":
            (tmp_path / "new").write_bytes(b"")
            (tmp_path / "new").rename(tmp_path / "lock")
        elif holder_does == "removes":
            (tmp_path / "lock").unlink()
    waiter.join(10)
    assert got == [(tmp_path / "lock").stat().st_ino]


@pytest.mark.parametrize("again", ["missing", "another"])
def test_a_file_that_goes_between_opening_and_locking_it_is_not_the_lock(
    directory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    locked: list[int] = []

    def late(fd: int, how: int) -> None:
        if not locked:
            (tmp_path / "lock").rename(tmp_path / "gone")
            if again == "another":
                (tmp_path / "lock").touch()
        locked.append(os.fstat(fd).st_ino)
        flock(fd, how)

    flock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", late)
    with locks.locked(directory, "lock") as fd:
        assert os.fstat(fd).st_ino == (tmp_path / "lock").stat().st_ino
    assert locked[0] == (tmp_path / "gone").stat().st_ino
    assert len(locked) == 2


def test_an_error_of_the_holder_frees_the_lock_and_says_the_path(directory: int, tmp_path: Path) -> None:
    def fail() -> None:
        with locks.locked(directory, "lock"):
            raise OSError(28, "full")

    for _ in range(2):
        with pytest.raises(Unavailable, match=f"^host: {tmp_path}/lock: no space left"):
            fail()
