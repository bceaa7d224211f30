# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The controller is killed before the system calls by which it writes to ledger and authority; the host lives on."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.sweep import CONTROLLER
from ansible_collections.keystead.identity.tests.integration.survival.killing import swept

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]


def test_after_a_first_issue_whose_controller_was_killed_the_next_run_heals_and_issues_nothing_twice(
    scene: Scene,
) -> None:
    sweep = swept(scene, "empty", parts=[CONTROLLER], every=4)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 40
    assert sweep.extra == 0


def test_after_a_rotation_whose_controller_was_killed_the_next_run_heals_and_issues_nothing_twice(
    scene: Scene,
) -> None:
    sweep = swept(scene, "first", "b.example.org", parts=[CONTROLLER], every=2)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 40
    assert sweep.extra == 0
