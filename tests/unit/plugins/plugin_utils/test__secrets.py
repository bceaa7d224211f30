# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A secret is said in one of three ways, and repeated in none."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._secrets import credential, given

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core
NAMES = ("token", "token_file", "token_env")


@pytest.mark.parametrize(
    ("options", "found"), [({"token": "a"}, "token"), ({"token_env": "A", "token": None}, "token_env")]
)
def test_the_one_that_is_given_is_found(options: dict[str, t.Any], found: str) -> None:
    assert given(options, NAMES, "x") == found


@pytest.mark.parametrize(
    ("options", "found"), [({}, "none"), ({"token": "CANARY", "token_file": "/CANARY"}, "token and token_file")]
)
def test_none_and_two_are_refused_without_their_values(options: dict[str, t.Any], found: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        given(options, NAMES, "openbao: auth.token")
    said = f"openbao: auth.token: exactly one of token, token_file, token_env is needed, found {found}"
    assert str(refused.value) == said


def test_none_is_fine_where_none_is_required() -> None:
    assert given({}, NAMES, "x", required=False) is None


def test_each_way_leads_to_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"s.file\r\nsecond line\n")
    monkeypatch.setenv("TOKEN_OF_THE_TEST", "s.env")
    options = {"token": "s.said", "token_file": str(file), "token_env": "TOKEN_OF_THE_TEST"}
    assert [credential(options, name, "x") for name in NAMES] == ["s.said", "s.file", "s.env"]


@pytest.mark.parametrize("value", ["", "two CANARIES", "a\nCANARY", "CANÄRY", "\x00CANARY"])
@pytest.mark.parametrize("way", ["said", "file"])
def test_what_no_header_can_hold_is_refused_and_not_repeated(tmp_path: Path, value: str, way: str) -> None:
    file = tmp_path / "token"
    file.write_text(value.replace("\n", " "), encoding="utf-8")
    options = {"token": value, "token_file": str(file)}
    with pytest.raises(Misconfigured) as refused:
        credential(options, "token" if way == "said" else "token_file", "openbao: auth.token")
    assert "is empty or no credential" in str(refused.value)
    assert "CAN" not in str(refused.value)


@pytest.mark.parametrize("name", ["token_file", "token_env"])
def test_a_secret_in_the_place_of_its_file_or_variable_is_not_repeated(name: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        credential({name: "hvs.CANARY"}, name, "openbao: auth.token")
    assert str(refused.value).startswith(f"openbao: auth.token.{name}")
    assert "CANARY" not in str(refused.value)
