# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Directories are walked without following links, and refused where somebody else may write."""

from __future__ import annotations

import os
import stat
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._host.directories import (
    find_directory,
    open_directory,
    open_subdirectory,
)

NOBODY = 65534


@pytest.fixture
def reachable() -> t.Iterator[Path]:
    """Return a directory that every user can pass through, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o711)
        yield Path(path)


def opened(path: Path | str, **how: t.Any) -> tuple[int, int]:
    """Open a directory, close it, and return which one it was."""
    fd = open_directory(str(path), **how)
    try:
        info = os.fstat(fd)
    finally:
        os.close(fd)
    return info.st_dev, info.st_ino


def refusal(path: Path | str, **how: t.Any) -> str:
    """Return what is said of a directory that is refused; its message starts with who speaks."""
    before = len([*Path("/proc/self/fd").iterdir()])
    with pytest.raises(Misconfigured, match=r"^host: ") as caught:
        open_directory(str(path), **how)
    assert len([*Path("/proc/self/fd").iterdir()]) == before, "a refusal left a descriptor open"
    return str(caught.value)


def test_a_directory_of_ours_is_opened_and_can_be_synced(tmp_path: Path) -> None:
    fd = open_directory(str(tmp_path))
    os.fsync(fd)
    assert os.path.samestat(os.fstat(fd), tmp_path.stat())
    os.close(fd)


@pytest.mark.parametrize("path", ["/", "//", "/tmp"])  # noqa: S108 - the sticky directory itself
def test_the_root_and_a_sticky_directory_of_roots_are_opened(path: str) -> None:
    info = Path(path).stat()
    assert opened(path) == (info.st_dev, info.st_ino)


@pytest.mark.parametrize("path", ["relative", "", "/a/../b", "/a/./b", "/a\0b"])
def test_a_path_that_is_not_absolute_and_plain_is_refused(path: str) -> None:
    assert "write the whole path from /" in refusal(path)


def test_a_link_as_the_last_component_is_refused_with_the_real_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    said = refusal(tmp_path / "link", create_mode=0o755)
    assert f"{tmp_path}/link is a symbolic link; write the real path, {tmp_path}/real, instead" in said


def test_a_link_in_the_middle_is_refused_and_nothing_is_made_behind_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert f"{tmp_path}/link is a symbolic link" in refusal(tmp_path / "link" / "below", create_mode=0o755)
    assert list((tmp_path / "real").iterdir()) == []


def test_a_dangling_link_is_refused_and_its_target_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    refusal(tmp_path / "link", create_mode=0o755)
    assert not (tmp_path / "elsewhere").exists()


def test_a_regular_file_in_the_place_of_a_directory_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    assert f"{tmp_path}/file" in refusal(tmp_path / "file", create_mode=0o755)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_fifo_in_the_place_of_a_directory_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    refusal(tmp_path / "fifo")


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o702])
def test_a_parent_that_the_world_may_write_is_refused_with_mode_owner_and_remedy(tmp_path: Path, mode: int) -> None:
    open_to_all = tmp_path / "open"
    (open_to_all / "below").mkdir(parents=True)
    open_to_all.chmod(mode)
    said = refusal(open_to_all / "below", create_mode=0o755)
    assert f"{open_to_all} may be written by others (mode {mode:04o}, owner " in said
    assert f"chmod go-w {open_to_all}" in said


@pytest.mark.needs("root")
def test_a_directory_of_another_user_is_refused_even_if_only_its_owner_may_write(tmp_path: Path) -> None:
    (tmp_path / "theirs" / "below").mkdir(parents=True)
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)
    assert f"chown root {tmp_path}/theirs" in refusal(tmp_path / "theirs" / "below")


@pytest.mark.needs("root")
def test_a_sticky_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sticky").mkdir()
    os.chown(tmp_path / "sticky", NOBODY, NOBODY)
    (tmp_path / "sticky").chmod(0o1777)
    assert "mode 1777" in refusal(tmp_path / "sticky")


@pytest.mark.needs("root")
def test_a_foreign_group_may_not_write_but_our_private_group_may(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o775)
    info = (tmp_path / "shared").stat()
    assert opened(tmp_path / "shared") == (info.st_dev, info.st_ino)
    os.chown(tmp_path / "shared", 0, NOBODY)
    assert "mode 0775, owner root" in refusal(tmp_path / "shared")


@pytest.mark.needs("root")
def test_an_ordinary_user_passes_through_a_directory_that_only_root_may_list(reachable: Path) -> None:
    home = reachable / "home"
    (home / "user").mkdir(parents=True)
    os.chown(home / "user", NOBODY, NOBODY)
    home.chmod(0o711)
    pid = os.fork()
    if not pid:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os._exit(0 if opened(home / "user" / "store", create_mode=0o755) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert (home / "user" / "store").stat().st_uid == NOBODY


@pytest.mark.needs("root")
def test_missing_permission_names_path_user_and_remedy(reachable: Path) -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(writer, refusal(reachable / "store", create_mode=0o755).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    said = os.read(reader, 4096).decode()
    assert f"{reachable}/store: permission denied for user nobody; use become: true" in said


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_what_is_missing_is_made_with_the_mode_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        opened(tmp_path / "a" / "b" / "c", create_mode=0o750)
        assert os.umask(umask) == umask, "the umask was not put back"
    finally:
        os.umask(before)
    for path in ("a", "a/b", "a/b/c"):
        assert stat.S_IMODE((tmp_path / path).stat().st_mode) == 0o750


def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o700)
    opened(tmp_path / "a", create_mode=0o755)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_a_missing_directory_is_named_and_nothing_is_made(tmp_path: Path) -> None:
    assert f"{tmp_path}/a/b does not exist; create this directory" in refusal(tmp_path / "a" / "b")
    assert find_directory(str(tmp_path / "a" / "b")) is None
    assert list(tmp_path.iterdir()) == []


def test_a_missing_subdirectory_is_none_until_it_is_to_be_made(tmp_path: Path) -> None:
    parent = open_directory(str(tmp_path))
    assert open_subdirectory(parent, "web") is None
    made = open_subdirectory(parent, "web", create_mode=0o755)
    assert made is not None
    os.close(made)
    again = open_subdirectory(parent, "web")
    assert again is not None
    os.close(again)
    os.close(parent)


def test_a_subdirectory_that_is_a_link_or_open_to_the_world_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to("open")
    parent = open_directory(str(tmp_path))
    with pytest.raises(Misconfigured, match="is a symbolic link"):
        open_subdirectory(parent, "link")
    with pytest.raises(Misconfigured, match="may be written by others"):
        open_subdirectory(parent, "open")
    os.close(parent)


def test_a_component_that_is_too_long_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    assert "choose a shorter one" in refusal(tmp_path / ("x" * 300), create_mode=0o755)
