# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The callback summary, with the results that each ansible-core hands to it."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

import pytest
from ansible_collections.keystead.identity.plugins.callback.summary import ACTION, CallbackModule

FAILURE = {"msg": "machine_identity: option issuer: nobody is named"}


class Host:
    """A host by its name."""

    def get_name(self) -> str:
        return "web1"


def result(prefix: str = "", action: str = ACTION, *, check: bool = False) -> SimpleNamespace:
    """Return what a callback gets: with public names, or up to ansible-core 2.18 with private ones."""
    task = SimpleNamespace(action=action.rpartition(".")[2], resolved_action=action, check_mode=check)
    return SimpleNamespace(**{f"{prefix}task": task, f"{prefix}host": Host(), f"{prefix}result": FAILURE})


def shown(capsys: pytest.CaptureFixture[str], *events: tuple[str, SimpleNamespace]) -> str:
    """Return what is shown at the end of a run with these events."""
    callback = CallbackModule()
    for event, said in events:
        getattr(callback, event)(said)
    callback.v2_playbook_on_stats(None)
    return capsys.readouterr().out


@pytest.mark.parametrize("prefix", ["", "_"])
@pytest.mark.parametrize("event", ["v2_runner_on_failed", "v2_runner_on_unreachable", "v2_runner_on_ok"])
def test_the_results_of_our_task_are_told(capsys: pytest.CaptureFixture[str], prefix: str, event: str) -> None:
    text = shown(capsys, (event, result(prefix)))
    assert "IDENTITIES ***" in text
    assert "web1: failed 1" in text


def test_nothing_is_shown_when_only_other_tasks_ran(capsys: pytest.CaptureFixture[str]) -> None:
    others = ("ansible.builtin.debug", "keystead.identity.machine_identity_info")
    assert shown(capsys, *(("v2_runner_on_ok", result(action=action)) for action in others)) == ""


def test_it_is_used_only_where_it_is_enabled() -> None:
    facts: t.Any = CallbackModule
    assert (facts.CALLBACK_TYPE, facts.CALLBACK_NEEDS_ENABLED) == ("aggregate", True)
