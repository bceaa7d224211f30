# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import re
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.errors import library_missing, translated
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence


def every_exception() -> list[type[Exception]]:
    import pkcs11

    return [one for one in vars(pkcs11.exceptions).values() if isinstance(one, type) and issubclass(one, Exception)]


@pytest.mark.needs("python-pkcs11")
def test_every_exception_of_the_library_is_a_sentence_with_a_remedy() -> None:
    exceptions = every_exception()
    assert len(exceptions) > 60
    for one in exceptions:
        said = check_sentence(translated(one(), "token t1", "signing"), "pkcs11")
        assert "token t1" in said
        assert "while signing" in said


@pytest.mark.needs("python-pkcs11")
@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("DeviceMemory", Misconfigured, "token t1 is full; destroy keys"),
        ("DeviceRemoved", Unavailable, "token t1 ended the session: it was removed"),
        ("PinIncorrect", Denied, "token t1 refuses its PIN"),
        ("PinLocked", Denied, "token t1 has locked its PIN; unlock it"),
        ("SessionHandleInvalid", Unavailable, "token t1 ended the session"),
        ("TokenWriteProtected", Misconfigured, "token t1 is write-protected"),
        ("GeneralError", Unavailable, "token t1 answered GeneralError; look into the log"),
    ],
)
def test_what_a_user_can_do_about_it_is_said(name: str, kind: type[t.Any], said: str) -> None:
    import pkcs11

    found = translated(getattr(pkcs11, name)(), "token t1")
    assert isinstance(found, kind)
    assert said in str(found)


def test_the_line_that_installs_the_library_names_this_very_interpreter() -> None:
    assert re.search(rf"is missing in {sys.executable}; install it: {sys.executable} -m ", str(library_missing()))

