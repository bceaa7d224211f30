# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the edge of the host's half says about an error that nobody foresaw."""

from __future__ import annotations

import re

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.module_utils._host.answering import place_of


def test_an_error_in_a_library_is_named_by_its_type_and_the_line_of_ours_that_called_it() -> None:
    with pytest.raises(ValueError, match="64") as caught:
        pki.name(Subject("Canary" * 20))
    assert caught.traceback[-1].path.name != "pki.py"
    assert re.fullmatch(r"ValueError at pki\.py:\d+", place_of(caught.value))


def test_an_error_from_elsewhere_has_no_place() -> None:
    assert place_of(KeyError("Canary")) == "KeyError at an unknown place"
