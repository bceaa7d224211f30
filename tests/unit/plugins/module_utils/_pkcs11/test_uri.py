# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.uri import Uri, parse, text
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=32)


def test_a_uri_names_token_serial_number_id_label_and_class() -> None:
    uri = text(Uri("web hsm", "0815", b"\x01\xfe", "web/1;a=b", "private"))
    assert uri == "pkcs11:token=web%20hsm;serial=0815;id=%01%FE;object=web%2F1%3Ba%3Db;type=private"


@given(NAMES, NAMES, st.binary(max_size=40), NAMES)
def test_what_is_written_is_read_again(token: str, serial: str, identifier: bytes, label: str) -> None:
    uri = Uri(token, serial, identifier, label)
    assert text(uri).isascii()
    assert text(uri).isprintable()
    assert parse(text(uri)) == uri


def test_the_query_and_attributes_of_others_are_passed_over() -> None:
    said = "pkcs11:token=t;manufacturer=m;x-other=1;id=ab;object=o?pin-source=file:/p&module-path=/m.so"
    assert parse(said) == Uri("t", "", b"ab", "o", "", manufacturer="m")


@pytest.mark.parametrize("said", ["", "web", "file:/a", "pkcs11:token", "pkcs11:token=a;token=b", "pkcs11:token=%ff"])
def test_what_is_no_uri_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=r"PKCS#11 URI|twice|decode"):
        parse(said)

