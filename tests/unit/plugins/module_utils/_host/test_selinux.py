# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Types are restored through the extended attribute; the kernel of the test need not judge by it."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._host import selinux
from ansible_collections.keystead.identity.plugins.module_utils._host.safe_files import write_file

if t.TYPE_CHECKING:
    from pathlib import Path

ATTRIBUTE = "security.selinux"
needs_labels = pytest.mark.needs("root")


@pytest.fixture
def labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file with a context, on a host whose kernel seems to judge by SELinux."""
    monkeypatch.setattr(selinux, "_SWITCH", str(tmp_path))
    path = tmp_path / "key.pem"
    path.touch()
    os.setxattr(path, ATTRIBUTE, b"system_u:object_r:var_lib_t:s0:c1,c2\0")
    return path


@needs_labels
def test_the_type_alone_is_changed(labelled: Path) -> None:
    with labelled.open() as file:
        assert selinux.type_of(file.fileno()) == "var_lib_t"
        selinux.restore_type(file.fileno())
        assert selinux.type_of(file.fileno()) == "cert_t"
    assert os.getxattr(labelled, ATTRIBUTE) == b"system_u:object_r:cert_t:s0:c1,c2\0"


@needs_labels
def test_a_name_in_a_directory_is_right_only_with_the_type(labelled: Path) -> None:
    directory = os.open(labelled.parent, os.O_RDONLY)
    assert not selinux.is_right(directory, labelled.name)
    selinux.restore_type(str(labelled))
    assert selinux.is_right(directory, labelled.name)
    os.close(directory)


@needs_labels
def test_a_policy_without_range_keeps_three_fields(labelled: Path) -> None:
    os.setxattr(labelled, ATTRIBUTE, b"user_u:object_r:tmp_t\0")
    selinux.restore_type(str(labelled))
    assert os.getxattr(labelled, ATTRIBUTE) == b"user_u:object_r:cert_t\0"


@needs_labels
@pytest.mark.parametrize("context", [b"", b"\xff\xfe", b"nonsense"])
def test_a_label_that_is_not_a_context_is_left_alone(labelled: Path, context: bytes) -> None:
    os.setxattr(labelled, ATTRIBUTE, context)
    selinux.restore_type(str(labelled))
    assert os.getxattr(labelled, ATTRIBUTE) == context
    assert selinux.type_of(str(labelled)) is None


@needs_labels
def test_a_file_without_a_label_is_written_without_one(labelled: Path) -> None:
    directory = os.open(labelled.parent, os.O_RDONLY)
    write_file(directory, "new", b"content", mode=0o600)
    assert selinux.type_of(str(labelled.parent / "new")) is None
    assert selinux.is_right(directory, "new")
    os.close(directory)


def test_without_selinux_nothing_is_read_or_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selinux, "_SWITCH", str(tmp_path / "missing"))
    missing = str(tmp_path / "no-such-file")
    selinux.restore_type(missing)
    assert selinux.type_of(missing) is None
    assert not selinux.enabled()
