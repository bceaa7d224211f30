# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a pattern protects is protected from every wildcard that stands for it, and from no other."""

from __future__ import annotations

import itertools
import re

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.patterns import covered, glob
from hypothesis import given, settings
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
