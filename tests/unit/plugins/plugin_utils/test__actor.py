# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Who acts, and whether another that acted is still alive."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils import _actor


def test_an_actor_says_who_where_and_with_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_JOB_ID", "42")
    found = _actor.actor("site.yml")
    assert (found["awx_job"], found["playbook"], found["collection_version"]) == ("42", "site.yml", _actor.VERSION)
    assert found["operating_system_user"]
    assert found["controller"]


def other(**said: object) -> dict[str, object]:
    return {**_actor.holder(), **said}


def test_what_this_process_holds_was_left_by_an_earlier_task() -> None:
    assert _actor.is_dead(other())


def test_a_living_process_is_not_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        holder = other(pid=process.pid, started=_actor._started(process.pid))
        assert not _actor.is_dead(holder)
        assert process.stdin
        process.stdin.close()
        process.wait()
        assert _actor.is_dead(holder)


def test_a_process_that_has_ended_is_dead_before_its_parent_asks() -> None:
    process = subprocess.Popen(["sleep", "60"])
    holder = other(pid=process.pid, started=_actor._started(process.pid))
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert _actor._started(process.pid) == holder["started"]
    assert _actor.is_dead(holder)
    process.wait()


def test_another_process_with_the_same_number_is_not_the_holder() -> None:
    assert _actor.is_dead(other(pid=os.getppid(), started="1"))
    assert not _actor.is_dead(other(pid=os.getppid(), started=_actor._started(os.getppid())))


@pytest.mark.parametrize(
    "said",
    [
        {"controller": "elsewhere"},
        {"boot": "another boot"},
        {"boot": ""},
        {"pid": "12"},
        {"pid": True},
        {"pid": -1},
        {"pid": 0},
        {"pid": None},
        {"pid": [1]},
    ],
)
def test_of_anything_else_nobody_can_tell(said: dict[str, object]) -> None:
    assert not _actor.is_dead(other(**said))


def test_a_number_that_no_process_can_have_is_dead() -> None:
    assert _actor.is_dead(other(pid=2**70))


def test_a_process_that_proc_hides_counts_as_alive() -> None:
    assert _actor._exists(1)
    assert not _actor._exists(2**22 + 1)


def test_nothing_is_known_of_an_empty_holder() -> None:
    assert not _actor.is_dead({})
