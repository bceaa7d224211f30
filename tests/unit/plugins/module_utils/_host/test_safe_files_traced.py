# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the kernel is asked for, in which order, and what happens when it refuses: seen and injected by strace."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._host import durability, safe_files

if t.TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("strace")

MODULE = safe_files.__name__
TOGETHER = durability.__name__
BASE = next(base for base in sys.path if (Path(base) / "ansible_collections" / "keystead" / "identity").is_dir())
NEW = b"the new content of the file"
WRITE = f"write_file(fd, 'key', {NEW!r}, mode=0o640, uid=os.getuid(), gid=os.getgid())"
LINK = "replace_link(fd, 'current', '2')"
PROGRAM = """
import os, sys
from {module} import *
fd = os.open(sys.argv[1], os.O_RDONLY)
try:
    {act}
except Exception as error:
    sys.exit(f"{{type(error).__name__}}: {{error}}")
"""


def traced(directory: Path, act: str, *options: str) -> tuple[str, list[str]]:
    """Run one act under strace; return what it said and its system calls."""
    log = directory.parent / "strace.log"
    program = PROGRAM.format(module=MODULE, act=act)
    done = subprocess.run(
        ["strace", "-qq", "-y", "-s", "80", "-o", str(log), *options, sys.executable, "-c", program, str(directory)],
        check=False, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": BASE},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.stderr.strip(), log.read_text().splitlines()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with an old file and an old link."""
    path = tmp_path / "in"
    path.mkdir()
    (path / "key").write_bytes(b"old")
    (path / "current").symlink_to("1")
    return path


def on_new_file(directory: Path) -> tuple[str, ...]:
    """Return the options that trace only calls on the temporary file, by name or descriptor."""
    return "-P", ".key.new", "-P", f"{directory}/.key.new"


def old_is_untouched(directory: Path) -> bool:
    """Say whether the directory is as it was, without anything left over."""
    names = sorted(entry.name for entry in directory.iterdir())
    return names == ["current", "key"] and (directory / "key").read_bytes() == b"old"


def calls(lines: list[str], directory: Path) -> Iterator[str]:
    """Name the calls that change something, in order: what was called, on the file or on its directory."""
    for line in lines:
        call, _parenthesis, rest = line.partition("(")
        if call == "openat" and "O_CREAT" in rest and f"<{directory}>" in rest:
            yield "create"
        elif call in ("fchown", "fchmod", "write", "fsync") and str(directory) in rest:
            yield f"{call} {'directory' if re.match(rf'[0-9]+<{directory}>', rest) else 'file'}"
        elif call.startswith(("rename", "symlink")) and f"<{directory}>" in rest:
            yield re.sub("at2?$", "", call)


def test_owner_and_mode_come_before_content_and_the_syncs_before_and_after_the_rename(directory: Path) -> None:
    said, lines = traced(directory, WRITE)
    assert said == ""
    assert list(calls(lines, directory)) == [
        "create", "fchown file", "fchmod file", "write file", "fsync file", "rename", "fsync directory",
    ]  # fmt: skip


def test_the_file_is_created_for_its_owner_alone_and_follows_nothing(directory: Path) -> None:
    _said, lines = traced(directory, WRITE, "-e", "trace=openat")
    created = [line for line in lines if ".key.new" in line]
    assert len(created) == 1
    assert "O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600" in created[0]


def test_a_link_is_made_beside_renamed_over_and_synced(directory: Path) -> None:
    _said, lines = traced(directory, LINK)
    assert list(calls(lines, directory)) == ["symlink", "rename", "fsync directory"]


def test_what_is_made_together_is_synced_at_the_end(directory: Path) -> None:
    made = "with together(): create_file(fd, 'key', b'new', mode=0o640); create_file(fd, 'more', b'new', mode=0o640)"
    _said, lines = traced(directory, f"from {TOGETHER} import together\n    {made}")
    files = [line for line in lines if f"<{directory}" in line and line.startswith(("write", "fsync"))]
    assert [line.partition("(")[0] for line in files] == ["write", "write", "fsync", "fsync", "fsync"]
    assert (directory / "key").read_bytes() == b"new"


def test_removing_and_renaming_sync_the_directory_last(directory: Path) -> None:
    for act in ("rename(fd, 'key', 'kept')", "remove(fd, 'kept')", "remove_tree(fd, 'current')", "sync_directory(fd)"):
        _said, lines = traced(directory, act)
        assert list(calls(lines, directory))[-1] == "fsync directory", act


REFUSED = {
    "ENOSPC": "Unavailable: host: {path}: no space left on the file system; free some",
    "EDQUOT": "Unavailable: host: {path}: the disk quota is used up",
    "EIO": "Unavailable: host: {path}: the disk answers with an input/output error",
    "EROFS": "Misconfigured: host: {path}: the file system is read-only",
    "EACCES": "Misconfigured: host: {path}: permission denied for user ",
    "EPERM": "Misconfigured: host: {path}: permission denied for user ",
    "ENOLCK": "Unavailable: host: {path}: No locks available; put that right",
}


@pytest.mark.parametrize("code", REFUSED)
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_refused_write_or_sync_leaves_the_old_file_and_says_what_to_do(directory: Path, call: str, code: str) -> None:
    said, _lines = traced(directory, WRITE, *on_new_file(directory), "-e", f"inject={call}:error={code}")
    assert said.startswith(REFUSED[code].format(path=directory / "key"))
    assert old_is_untouched(directory)


@pytest.mark.parametrize("call", ["openat", "fchown", "fchmod", "rename,renameat,renameat2"])
def test_any_other_refused_call_leaves_the_old_file(directory: Path, call: str) -> None:
    said, lines = traced(directory, WRITE, *on_new_file(directory), "-e", f"inject={call}:error=EIO:when=1")
    assert any("INJECTED" in line for line in lines)
    assert said.startswith(f"Unavailable: host: {directory}/key: the disk answers")
    assert old_is_untouched(directory)


@pytest.mark.parametrize("call", ["symlink,symlinkat", "rename,renameat,renameat2"])
@pytest.mark.parametrize("code", ["ENOSPC", "EIO", "EROFS"])
def test_a_refused_link_or_rename_leaves_the_old_link(directory: Path, call: str, code: str) -> None:
    said, _lines = traced(directory, LINK, "-P", str(directory), "-e", f"inject={call}:error={code}")
    assert said.startswith(REFUSED[code].format(path=directory / "current"))
    assert (directory / "current").readlink() == Path("1")
    assert old_is_untouched(directory)


def test_a_directory_that_cannot_be_synced_is_an_error_but_not_where_it_need_not(directory: Path) -> None:
    said, _lines = traced(directory, WRITE, "-P", str(directory), "-e", "inject=fsync:error=EIO")
    assert said.startswith(f"Unavailable: host: {directory}/key: the disk answers")
    said, _lines = traced(directory, "sync_directory(fd)", "-P", str(directory), "-e", "inject=fsync:error=EINVAL")
    assert said == ""


def test_after_a_short_write_the_rest_is_written(directory: Path) -> None:
    """Strace says of the first write that three bytes were written, and writes none."""
    said, lines = traced(directory, WRITE, *on_new_file(directory), "-e", "inject=write:retval=3:when=1")
    assert said == ""
    assert len([line for line in lines if line.startswith("write(")]) == 2
    assert (directory / "key").read_bytes() == NEW[3:]


def test_a_write_that_writes_nothing_for_ever_ends_in_an_error(directory: Path) -> None:
    said, _lines = traced(directory, WRITE, *on_new_file(directory), "-e", "inject=write:retval=0")
    assert said.startswith(f"Unavailable: host: {directory}/key: the disk answers")
    assert old_is_untouched(directory)


@pytest.mark.parametrize("call", ["openat", "fchown", "fchmod", "write", "fsync", "rename,renameat,renameat2"])
def test_after_a_kill_at_any_call_the_old_file_stands_and_the_next_run_completes(directory: Path, call: str) -> None:
    _said, lines = traced(directory, WRITE, *on_new_file(directory), "-e", f"inject={call}:signal=KILL")
    assert lines[-1] == "+++ killed by SIGKILL +++"
    assert (directory / "key").read_bytes() == b"old"
    said, _lines = traced(directory, WRITE)
    assert said == ""
    assert (directory / "key").read_bytes() == NEW
    assert sorted(entry.name for entry in directory.iterdir()) == ["current", "key"]


@pytest.mark.needs("tmpfs", "root")
def test_a_file_system_that_is_really_full_keeps_the_old_file(directory: Path) -> None:
    """In a mount namespace of its own: 64 KiB for a file of 100 KiB."""
    mount = 'mount -t tmpfs -o size=64k none "$1" && printf old >"$1/key"'
    script = f'{mount} && "$2" -c "$3" "$1" 2>&1; cat "$1/key"; ls -A "$1"'
    act = "write_file(fd, 'key', b'x' * 102400, mode=0o600)"
    program = PROGRAM.format(module=MODULE, act=act)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", str(directory), sys.executable, program],
        check=True, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": BASE},
    )  # fmt: skip
    said, kept = done.stdout.splitlines()
    assert said.startswith(f"Unavailable: host: {directory}/key: no space left on the file system; free some")
    assert kept == "oldkey"
