# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Owners and groups by name or number."""

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._host.ownership import uid_gid, user_name


@pytest.mark.parametrize(
    ("owner", "group", "numbers"),
    [
        (None, None, (-1, -1)),
        ("root", None, (0, -1)),
        ("root", "daemon", (0, 1)),
        ("0", "1", (0, 1)),
        ("4294967294", "123456", (4294967294, 123456)),
    ],
)
def test_names_and_numbers_are_found_and_none_leaves_things_as_they_are(
    owner: str | None, group: str | None, numbers: tuple[int, int]
) -> None:
    assert uid_gid(owner, group) == numbers


@pytest.mark.parametrize(
    "owner", ["no-such-user", "", "-1", "4294967295", "9" * 5000, "a\0b", "\u0661", "1.5", "\ud800"]
)
def test_an_unknown_user_is_refused_with_option_value_and_remedy(owner: str) -> None:
    with pytest.raises(Misconfigured, match=r"^host: option owner: there is no user .*; create it first"):
        uid_gid(owner, None)


def test_an_unknown_group_is_refused_by_name() -> None:
    with pytest.raises(Misconfigured, match=r"^host: option group: there is no group 'no-such-group'"):
        uid_gid("root", "no-such-group")


def test_a_user_without_a_name_is_called_by_number() -> None:
    assert (user_name(0), user_name(3999999999)) == ("root", "3999999999")
