# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.tries import check

LOGIN_REQUIRED, PIN_COUNT_LOW, FINAL_TRY, LOCKED = 0x4, 0x10000, 0x20000, 0x40000  # CKF_ (PKCS#11 2.40, 3.2)


@pytest.mark.parametrize("flags", [0, LOGIN_REQUIRED, LOGIN_REQUIRED | PIN_COUNT_LOW])
def test_a_login_that_can_fail_without_harm_may_be_tried(flags: int) -> None:
    check("token t1", flags, "1234")


@pytest.mark.parametrize(
    ("flags", "secret", "kind", "said"),
    [
        (LOGIN_REQUIRED, None, Misconfigured, "token t1 needs its user PIN; set pin_file"),
        (LOGIN_REQUIRED | LOCKED, "1234", Denied, "token t1 has locked its PIN; unlock it"),
        (LOGIN_REQUIRED | PIN_COUNT_LOW | FINAL_TRY, "1234", Denied, "would lock its PIN if one more login failed"),
    ],
)
def test_a_login_that_would_be_in_vain_or_the_last_one_is_refused_before_it(
    flags: int, secret: str | None, kind: type[KeysteadError], said: str
) -> None:
    with pytest.raises(kind, match=said) as refused:
        check("token t1", flags, secret)
    assert "1234" not in str(refused.value)
