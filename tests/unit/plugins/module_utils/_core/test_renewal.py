# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""When a credential is due: the margin, and the jitter that is only ever earlier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Credential
from ansible_collections.keystead.identity.plugins.module_utils._core.renewal import is_due, margin, renew_at
from hypothesis import given
from hypothesis import strategies as st

START = datetime(2026, 1, 1, tzinfo=UTC)
IDS = st.text("0123456789abcdef", min_size=64, max_size=64)


def credential(credential_id: str, life: timedelta) -> Credential:
    return Credential(credential_id, "k", START, START + life, None)


@pytest.mark.parametrize(
    ("renew_before", "life", "expected"),
    [
        ("33%", timedelta(days=100), timedelta(days=33)),
        ("1%", timedelta(days=100), timedelta(days=1)),
        ("86400", timedelta(days=30), timedelta(days=1)),
    ],
)
def test_a_margin_is_a_share_of_the_actual_life_or_seconds(
    renew_before: str, life: timedelta, expected: timedelta
) -> None:
    assert margin(renew_before, life) == expected


@given(IDS, st.integers(60, 10**9), st.integers(1, 99))
def test_jitter_is_only_earlier_and_at_most_a_tenth_of_the_margin(name: str, life: int, share: int) -> None:
    one = credential(name, timedelta(seconds=life))
    before = margin(f"{share}%", timedelta(seconds=life))
    due = renew_at(one, f"{share}%")
    assert one.not_after - before * 1.1 - timedelta(microseconds=2) <= due <= one.not_after - before


@given(IDS, st.integers(60, 10**9), st.integers(1, 99), st.floats(-0.1, 1.1))
def test_it_is_due_from_that_moment_on_and_never_before(name: str, life: int, share: int, passed: float) -> None:
    one, renew_before = credential(name, timedelta(seconds=life)), f"{share}%"
    due = renew_at(one, renew_before)
    for now in (START + timedelta(seconds=life * passed), due - timedelta(microseconds=1), due):
        assert is_due(one, renew_before, now) is (now >= due)


@given(IDS, st.integers(60, 10**9), st.floats(0.01, 0.999))
def test_what_was_just_granted_is_never_due_at_once_by_jitter_alone(name: str, life: int, share: float) -> None:
    before = max(1, int(life * share))
    assert renew_at(credential(name, timedelta(seconds=life)), str(before)) > START


def test_a_margin_longer_than_the_life_makes_due_at_once_without_jitter() -> None:
    assert renew_at(credential("a" * 64, timedelta(days=1)), str(2 * 86400)) == START - timedelta(days=1)


def test_the_moment_is_the_same_every_time_and_differs_within_a_fleet() -> None:
    life = timedelta(days=30)
    moments = {renew_at(credential(f"{number:064x}", life), "33%") for number in range(100)}
    assert len(moments) == 100
    assert moments == {renew_at(credential(f"{number:064x}", life), "33%") for number in range(100)}
    assert max(moments) - min(moments) > timedelta(hours=20)
