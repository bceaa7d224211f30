# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Files are whole or not there, and nothing is followed."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._host import safe_files


@pytest.fixture
def directory(tmp_path: Path) -> t.Iterator[int]:
    """Return an open directory, beside which nothing may appear."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").write_bytes(b"outside")
    fd = os.open(tmp_path / "in", os.O_RDONLY)
    yield fd
    os.close(fd)
    assert (tmp_path / "out").read_bytes() == b"outside"


def write(directory: int, name: str = "key", content: bytes = b"new", **how: t.Any) -> None:
    """Write a file that only its owner may read."""
    safe_files.write_file(directory, name, content, **{"mode": 0o600, **how})


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_file_has_its_content_and_exactly_its_mode_whatever_the_umask(directory: int, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(directory, mode=mode)
    finally:
        os.umask(before)
    assert safe_files.read_file(directory, "key") == b"new"
    assert stat.S_IMODE(os.stat("key", dir_fd=directory).st_mode) == mode
    assert os.listdir(directory) == ["key"]


def test_a_rewritten_file_is_another_one_so_that_readers_of_the_old_keep_it_whole(directory: int) -> None:
    write(directory, content=b"old")
    with open("key", "rb", opener=lambda name, flags: os.open(name, flags, dir_fd=directory)) as reader:
        write(directory, content=b"new")
        assert reader.read() == b"old"
    assert safe_files.read_file(directory, "key") == b"new"


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(directory: int) -> None:
    os.symlink("../out", "key", dir_fd=directory)
    write(directory)
    assert stat.S_ISREG(os.lstat("key", dir_fd=directory).st_mode)


@pytest.mark.parametrize("left", ["file", "link", "dangling", "fifo"])
def test_what_a_killed_run_left_under_the_temporary_name_is_replaced(directory: int, left: str) -> None:
    make = {
        "file": lambda: os.close(os.open(".key.new", os.O_CREAT | os.O_WRONLY, 0o666, dir_fd=directory)),
        "link": lambda: os.symlink("../out", ".key.new", dir_fd=directory),
        "dangling": lambda: os.symlink("../nothing", ".key.new", dir_fd=directory),
        "fifo": lambda: os.mkfifo(".key.new", dir_fd=directory),
    }
    make[left]()
    write(directory)
    assert os.listdir(directory) == ["key"]
    make[left]()
    safe_files.replace_link(directory, "key", "target")
    assert os.listdir(directory) == ["key"]


def test_a_directory_under_either_name_is_an_error_and_kept(directory: int) -> None:
    for name in ("key", ".key.new"):
        os.mkdir(name, dir_fd=directory)
        with pytest.raises(KeysteadError, match=r"^host: .*/key: "):
            write(directory)
        assert os.listdir(directory) == [name]
        os.rmdir(name, dir_fd=directory)


@pytest.mark.needs("root")
def test_owner_and_group_are_set(directory: int) -> None:
    write(directory, mode=0o640, uid=1, gid=2)
    info = os.stat("key", dir_fd=directory)
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (1, 2, 0o640)
    write(directory, gid=2)
    info = os.stat("key", dir_fd=directory)
    assert (info.st_uid, info.st_gid) == (0, 2)


def test_a_writer_that_is_interrupted_leaves_nothing(directory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(fd: int) -> None:
        raise KeyboardInterrupt(fd)

    write(directory, content=b"old")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(directory)
    assert os.listdir(directory) == ["key"]
    assert safe_files.read_file(directory, "key") == b"old"


def test_a_missing_file_reads_as_none(directory: int) -> None:
    assert safe_files.read_file(directory, "key") is None
    assert safe_files.read_link(directory, "key") is None
    assert safe_files.facts(directory, "key") is None


def test_a_file_of_exactly_the_limit_is_read_and_one_byte_more_is_refused(directory: int) -> None:
    write(directory, content=b"x" * 100)
    assert safe_files.read_file(directory, "key", 100) == b"x" * 100
    with pytest.raises(Misconfigured, match=r"/in/key is larger than 99 bytes"):
        safe_files.read_file(directory, "key", 99)


def test_a_fifo_directory_or_device_in_the_place_of_a_file_is_refused_without_waiting(directory: int) -> None:
    os.mkfifo("fifo", dir_fd=directory)
    os.mkdir("directory", dir_fd=directory)
    for name in ("fifo", "directory"):
        with pytest.raises(Misconfigured, match="is not a regular file"):
            safe_files.read_file(directory, name)
    devices = os.open("/dev", os.O_RDONLY)
    with pytest.raises(Misconfigured, match="/dev/zero is not a regular file"):
        safe_files.read_file(devices, "zero")
    os.close(devices)


def test_a_link_is_never_read_through(directory: int) -> None:
    os.symlink("../out", "key", dir_fd=directory)
    with pytest.raises(Misconfigured, match="is a symbolic link"):
        safe_files.read_file(directory, "key")


def test_a_link_is_replaced_by_one_rename_and_read_back(directory: int) -> None:
    safe_files.replace_link(directory, "current", "1")
    safe_files.replace_link(directory, "current", "2")
    assert safe_files.read_link(directory, "current") == "2"
    assert os.listdir(directory) == ["current"]


def test_a_reader_of_a_link_that_moves_always_finds_a_target(directory: int) -> None:
    safe_files.replace_link(directory, "current", "0")
    done = threading.Event()
    seen: set[str | None] = set()

    def watch() -> None:
        while not done.is_set():
            seen.add(safe_files.read_link(directory, "current"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    number = 0
    while number < 300 or (len(seen) < 3 and number < 100_000):
        number += 1
        safe_files.replace_link(directory, "current", str(number))
    done.set()
    watcher.join()
    assert None not in seen
    assert len(seen) > 2


def test_what_is_not_a_link_has_no_target(directory: int) -> None:
    write(directory)
    assert safe_files.read_link(directory, "key") is None


def test_a_directory_is_renamed_whole_and_not_over_one_that_is_in_use(directory: int) -> None:
    for name in ("next", "1"):
        os.mkdir(name, dir_fd=directory)
        os.mkdir(f"{name}/part", dir_fd=directory)
    with pytest.raises(Misconfigured, match=r"/in/next: is a directory that is not empty"):
        safe_files.rename(directory, "next", "1")
    safe_files.rename(directory, "next", "2")
    assert sorted(os.listdir(directory)) == ["1", "2"]


def test_removing_takes_links_and_files_and_is_content_when_they_are_missing(directory: int) -> None:
    write(directory)
    os.symlink("../out", "link", dir_fd=directory)
    for name in ("key", "link", "missing"):
        safe_files.remove(directory, name)
        safe_files.remove_tree(directory, name)
    assert os.listdir(directory) == []


def test_a_tree_is_removed_with_all_that_is_in_it_and_links_are_not_followed(directory: int, tmp_path: Path) -> None:
    tree = tmp_path / "in" / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "key").write_bytes(b"x")
    (tree / "a" / "up").symlink_to(tmp_path)
    (tree / "a" / "file").symlink_to(tmp_path / "out")
    os.mkfifo(tree / "a" / "fifo")
    (tmp_path / "in" / "sibling").mkdir()
    safe_files.remove_tree(directory, "tree")
    assert os.listdir(directory) == ["sibling"]


def test_no_descriptor_stays_open(directory: int) -> None:
    before = len([*Path("/proc/self/fd").iterdir()])
    write(directory)
    safe_files.read_file(directory, "key")
    safe_files.remove_tree(directory, "key")
    os.mkfifo("fifo", dir_fd=directory)
    with pytest.raises(Misconfigured):
        safe_files.read_file(directory, "fifo")
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def _peek(directory: int, go_on: int, report: int) -> None:
    """As nobody, try to read the key under both its names until the pipe says to stop."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    os.set_blocking(go_on, False)
    refused = read = 0
    while True:
        for name in ("key", ".key.new"):
            try:
                fd = os.open(name, os.O_RDONLY, dir_fd=directory)
            except PermissionError:
                refused += 1
            except FileNotFoundError:
                pass
            else:
                read += 1
                os.close(fd)
        try:
            os.read(go_on, 1)
        except BlockingIOError:
            continue
        os.write(report, f"{refused} {read}".encode())
        os._exit(0)


@pytest.mark.needs("root")
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_an_unprivileged_reader_never_opens_a_key_in_two_hundred_creations(umask: int) -> None:
    with tempfile.TemporaryDirectory() as path:  # of pytest's own directories nobody but us can pass
        Path(path).chmod(0o755)
        directory = os.open(path, os.O_RDONLY)
        refused, read = _peeked(directory, umask)
        os.close(directory)
    assert refused > 0, "the reader never met the key"
    assert read == 0


def _peeked(directory: int, umask: int) -> tuple[int, int]:
    """Create a key again and again beside a reader; return how often it was refused, and how often it could read."""
    (stop, stopped), (report, reported) = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        os.close(stopped)
        _peek(directory, stop, reported)
    before = os.umask(umask)
    try:
        for _ in range(200):
            write(directory)
            os.unlink("key", dir_fd=directory)
        write(directory)
    finally:
        os.umask(before)
        os.close(stopped)
    refused, read = os.read(report, 100).split()
    os.waitpid(pid, 0)
    return int(refused), int(read)
