# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Every error of the operating system is said with its path and a remedy."""

from __future__ import annotations

import errno
import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    KeysteadError,
    Misconfigured,
    Pending,
    Unavailable,
)
from ansible_collections.keystead.identity.plugins.module_utils._host.os_errors import explained, path_of, said

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("code", sorted(errno.errorcode))
def test_every_code_gives_one_line_with_path_and_remedy(code: int) -> None:
    error = explained(OSError(code, os.strerror(code)), "/a/b")
    assert isinstance(error, (Misconfigured, Unavailable))
    assert str(error).startswith("host: /a/b: " if code else "host: ")
    assert ";" in str(error)
    assert "\n" not in str(error)


def test_an_error_without_a_code_is_said_as_well() -> None:
    assert isinstance(explained(OSError("odd"), "/a/b"), Unavailable)


def test_a_name_in_an_open_directory_is_said_with_its_whole_path(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    assert path_of("key", directory) == f"{tmp_path}/key"
    assert path_of(".", directory) == str(tmp_path)
    os.close(directory)
    assert path_of("key", directory) == path_of("key") == "key"


def test_errors_of_the_house_pass_unchanged() -> None:
    def fail() -> None:
        with said("/a/b"):
            raise Pending("host: later", 5.0)

    with pytest.raises(KeysteadError, match=r"^host: later$"):
        fail()
