# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The files of a report: all of them or none, and nothing beside them, whatever becomes of who writes."""

from __future__ import annotations

import os
import resource
import signal
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.files import STALE, File, put

if t.TYPE_CHECKING:
    from pathlib import Path


def killed_while_writing(file: File) -> None:
    """Write in another process, which is killed in the middle of it: its files may not be that large."""
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (4, 4))
        put([file])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGXFSZ


def test_what_a_killed_run_left_is_taken_away_when_nobody_can_be_writing_it_any_more(tmp_path: Path) -> None:
    file = File("html", tmp_path / f"{'r' * 250}.html", b"all of it")
    killed_while_writing(file)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".")
    put([file])
    assert left.exists(), "another run may be writing it now"
    os.utime(left, (1, left.stat().st_mtime - STALE))
    put([file])
    assert list(tmp_path.iterdir()) == [file.path]


def test_where_one_file_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=r"file/r\.json cannot be written"):
        put([File("html", tmp_path / "r.html", b"new"), File("json", tmp_path / "file/r.json", b"{}")])
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
