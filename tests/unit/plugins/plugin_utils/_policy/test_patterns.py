# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a pattern protects is protected from every wildcard that stands for it, and from no other."""

from __future__ import annotations

import itertools
import re
import time

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.breach import LONGEST_TRIED, matches
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.patterns import covered, glob
from hypothesis import assume, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.one_core

LABELS = ["".join(one) for length in (1, 2, 3) for one in itertools.product("ab", repeat=length)]
PARTS = st.lists(st.sampled_from(["a", "b", ".", "*", "**"]), min_size=1, max_size=6).map("".join)
RESTS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3).map(".".join)


@settings(max_examples=400, deadline=None)
@given(
    PARTS.filter(
        lambda one: (
            not {"***", ".."} & {one[at : at + n] for at in range(6) for n in (2, 3)}
            and one.strip(".") == one
            and one.count("**") <= 3
        )
    ),
    RESTS,
)
def test_a_wildcard_is_covered_where_a_name_that_it_stands_for_has_the_pattern(pattern: str, rest: str) -> None:
    stands_for = any(re.fullmatch(glob(pattern), f"{label}.{rest}") for label in LABELS)
    literally = re.fullmatch(glob(pattern), f"*.{rest}") is not None
    found = any(re.fullmatch(one, f"*.{rest}") for one in covered([pattern]))
    assert found or not stands_for
    if found and not literally and len(pattern.partition(".")[0]) <= 3:
        assert stands_for


SIGNS = st.text("ab./:", max_size=12)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", ".", "/", "*", "**"]), max_size=6).map("".join), SIGNS)
def test_a_long_name_is_matched_as_a_short_one_is(pattern: str, rest: str) -> None:
    assume(not {"***"} & {pattern[at : at + 3] for at in range(len(pattern))} and pattern.count("**") <= 3)
    name = "ab./" * (LONGEST_TRIED // 4) + rest
    assert len(name) <= LONGEST_TRIED or matches(name, [glob(pattern)]) == bool(re.fullmatch(glob(pattern), name))


@pytest.mark.parametrize("pattern", ["**/a**/a**/b", "urn:**a**a*a*b"])
def test_a_name_of_10_kb_is_matched_at_once(pattern: str) -> None:
    name, begun = "urn:" + "/a" * 5000, time.process_time()
    assert not matches(name, [glob(pattern)])
    assert matches(name + "/b", [glob("**/a**/a**/b")])
    assert time.process_time() - begun < 2
