# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.plugin_utils._edge import told


def raising(error: Exception) -> t.Callable[[], dict[str, t.Any]]:
    def work() -> dict[str, t.Any]:
        raise error

    return work


def test_what_was_done_is_returned_as_it_is() -> None:
    assert told("machine_identity", lambda: {"changed": True}) == {"changed": True}


def test_an_error_of_ours_is_a_failed_result_on_one_line_without_control_characters() -> None:
    result = told("machine_identity", raising(Denied("local: no\nand \x1b[2J no")))
    assert result == {"failed": True, "msg": "local: no and ?[2J no"}


def test_an_error_that_nobody_foresaw_is_named_by_type_and_place_without_its_text() -> None:
    message = told("machine_identity", raising(KeyError("Canary-77ab")))["msg"]
    assert message.startswith("machine_identity: unexpected KeyError at test__edge.py:")
    assert message.endswith("; please report it")
    assert "Canary" not in message


def test_that_a_host_is_unreachable_is_for_ansible_to_tell() -> None:
    with pytest.raises(AnsibleConnectionFailure):
        told("machine_identity", raising(AnsibleConnectionFailure("no route")))
