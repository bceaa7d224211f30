# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a server answers is said on one line, and when it says when to come again, so do we."""

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.errors import Answer
from ansible_collections.keystead.identity.plugins.plugin_utils._retry_after import retry_after

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (["1 error occurred:\n\t* permission denied\n\n"], "permission denied"),
        (["2 errors occurred:\n\t* no role\n\t* no rights\n\n", "sorry"], "no role; no rights; sorry"),
        (["no * list"], "no * list"),
        (["x" * 1000], "x" * 300),
        ("none", ""),
    ],
)
def test_what_it_lists_is_one_line(errors: object, said: str) -> None:
    assert Answer(403, {}, {"errors": errors}).said == said


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3600"}, 3600),
        ({"Retry-After": "Sun, 06 Nov 1994 09:49:37 GMT", "Date": DATE}, 3600),
        ({"Retry-After": "Sun, 06 Nov 1994 08:00:00 GMT", "Date": DATE}, 1),
        ({"Retry-After": "Sun, 06 Nov 2094 08:49:37 GMT", "Date": "soon"}, 86400),
        ({"Retry-After": "Sun, 06 Nov 0000 99:49:37 GMT", "Date": DATE}, 1),
        ({"Retry-After": "soon"}, 1),
        ({}, 1),
    ],
)
def test_when_to_come_again_is_seconds_or_a_date(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers) == seconds
