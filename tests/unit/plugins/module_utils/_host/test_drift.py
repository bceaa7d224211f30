# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Mode and owner of the files of a generation: seen, and put right through descriptors."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Files, Finding
from ansible_collections.keystead.identity.plugins.module_utils._host.drift import drift_of, put_right, wanted_mode

if t.TYPE_CHECKING:
    from pathlib import Path

NAMES = ["private_key.pem", "certificate.pem"]


@pytest.fixture
def directory(tmp_path: Path) -> t.Iterator[int]:
    for name, mode in zip(NAMES, (0o600, 0o644), strict=True):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def _found(directory: int) -> dict[str, os.stat_result]:
    return {name: os.stat(name, dir_fd=directory) for name in NAMES}


def test_files_as_declared_are_no_drift(directory: int) -> None:
    assert drift_of(directory, _found(directory), Files(group=str(os.getgid()))) == ()


def test_a_mode_that_differs_is_found_and_put_right(directory: int, tmp_path: Path) -> None:
    (tmp_path / NAMES[0]).chmod(0o644)
    assert drift_of(directory, _found(directory), Files()) == (Finding("mode", NAMES[0], "0644, not 0600"),)
    put_right(directory, NAMES, Files())
    assert drift_of(directory, _found(directory), Files()) == ()


def test_only_what_holds_the_key_has_the_declared_mode() -> None:
    assert (wanted_mode("combined.pem", Files(mode="0640")), wanted_mode("chain.pem", Files(mode="0640"))) == (
        0o640,
        0o644,
    )


def test_a_link_in_the_place_of_a_file_is_not_followed(directory: int, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("x")
    victim.chmod(0o644)
    (tmp_path / NAMES[0]).unlink()
    (tmp_path / NAMES[0]).symlink_to(victim)
    with pytest.raises(KeysteadError, match="is a symbolic link"):
        put_right(directory, NAMES, Files(mode="0400"))
    assert victim.stat().st_mode & 0o777 == 0o644
