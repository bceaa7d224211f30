# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What names a version of a transit key, and what it does not name."""

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.address import Address
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.transit_uri import Place

pytestmark = pytest.mark.one_core
PLACE = Place(Address("https://bao.example.org:8200", "team/a"), "transit/eu", "web")
KEY = "openbao-transit:https://bao.example.org:8200/v1/team/a/transit/eu/keys/web"


def test_it_is_where_the_api_reads_the_key_and_a_version() -> None:
    assert PLACE.uri(3) == f"{KEY}?version=3"
    in_no_namespace = Place(Address("https://[2001:db8::1]"), "transit", "web")
    assert in_no_namespace.uri(1) == "openbao-transit:https://[2001:db8::1]/v1/transit/keys/web?version=1"
    for place in (PLACE, in_no_namespace):
        assert place.version(place.uri(12)) == 12


def test_a_server_with_another_name_has_the_same_key() -> None:
    assert PLACE.version(f"{KEY.replace('bao.example.org:8200', 'active.example.org')}?version=3") == 3


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        KEY,
        f"{KEY}?version=",
        f"{KEY}?version=0",
        f"{KEY}?version=03",
        f"{KEY}?version=-1",
        f"{KEY}?version=1234567890",
        f"{KEY}?version=3&x=1",
        f"{KEY}?version=3\n",
        f"{KEY}2?version=3",
        f"{KEY.replace('team/a', 'team/b')}?version=3",
        f"{KEY.replace('transit/eu', 'transit')}?version=3",
        f"{KEY.removeprefix('openbao-transit:')}?version=3",
        f"{KEY.replace('https', 'http')}?version=3",
        "openbao-transit:https:///v1/team/a/transit/eu/keys/web?version=3",
        "pkcs11:token=web;id=%01",
    ],
)
def test_what_has_another_form_or_place_names_no_version(uri: str | None) -> None:
    assert PLACE.version(uri) is None
