# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A rotation of two hundred identities, and the revocation after it, are killed; the next run finishes both."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.sweep import CONTROLLER, directory
from ansible_collections.keystead.identity.tests.integration.survival.mass import COUNT, Mass

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]


@pytest.fixture(scope="module")
def mass() -> t.Iterator[Mass]:
    with directory() as base, ForkServer() as server:
        yield Mass(base, server)


@pytest.mark.parametrize("part", ["prepare", "install", CONTROLLER])
def test_a_killed_rotation_reveals_no_new_pair_half_and_revokes_nothing_until_the_next_run_has_finished_it(
    mass: Mass, part: str
) -> None:
    for call in mass.points("first", lambda trace: mass.rotate(part, trace)):
        mass.killed("first", call, lambda trace: mass.rotate(part, trace))
        assert not list(mass.unsafe()), call.text
        refused = mass.revoke().value
        assert len(mass.revoked()) == (0 if refused.get("failed") else COUNT), refused.get("msg")
        assert not list(mass.unsafe()), f"revoked although {call.text}"
        healed = mass.rotate()
        assert healed.value, healed.error
        assert not healed.value.get("failed"), f"{call.text}: {healed.value.get('msg')}"
        assert not list(mass.unwell(2 * COUNT)), call.text
        again = mass.rotate().value
        assert (again["changed"], again.get("failed")) == (False, None), call.text
        done = mass.revoke().value
        assert (done.get("failed"), done["matched"], len(mass.revoked())) == (None, COUNT, COUNT), call.text
        assert not list(mass.unwell(2 * COUNT)), call.text


def test_a_killed_revocation_is_finished_by_the_next_run_and_nothing_is_revoked_twice(mass: Mass) -> None:
    mass.restore("first")
    assert not mass.rotate().value.get("failed")
    mass.keep("rotated")
    for call in mass.points("rotated", mass.revoke):
        mass.killed("rotated", call, mass.revoke)
        assert not list(mass.unsafe()), call.text
        before = mass.revoked()
        done = mass.revoke().value
        assert (done.get("failed"), done["matched"]) == (None, COUNT), call.text
        assert before <= mass.revoked()
        assert len(mass.revoked()) == COUNT, call.text
        again = mass.revoke().value
        assert (again["changed"], again["matched"]) == (False, COUNT), call.text
        assert not list(mass.unwell(2 * COUNT)), call.text
        assert not mass.rotate().value["changed"], call.text
