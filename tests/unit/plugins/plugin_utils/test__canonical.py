# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""JSON in one form: what Python writes by itself is what the library for RFC 8785 writes."""

from __future__ import annotations

import typing as t

import pytest
import rfc8785
from ansible_collections.keystead.identity.plugins.plugin_utils._canonical import canonical

EVERY_CHARACTER = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x10FFFF, 7))))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        EVERY_CHARACTER,
        {"b": 1, "a": [None, False, {"z": '\u20ac\n"\\/', "Z": -(2**53) + 1}], "aa": {}, "": [], "_": 2**53 - 1},
        {"time": 1.5, "whole": 10.0, "small": 1e-7},
        {"\U0001f600": 1, "\ufb33": 2, "\u20ac": 3},
        ("a", 1),
    ],
    ids=["nothing", "true", "every character", "plain", "fractions", "names beyond the BMP", "a tuple"],
)
def test_it_is_what_the_library_says(value: t.Any) -> None:
    assert canonical(value, "test") == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value", ["\ud800", {"a": "\udfff"}, {"\ud800": 1}, 2**53, [-(2**53)], float("nan"), {1: 2}, b"bytes"]
)
def test_what_json_cannot_hold_is_refused(value: t.Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value, "test")
