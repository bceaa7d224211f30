# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The groups of an inventory of the ledger: of the time, and of names that anybody may have chosen."""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger_inventory import (
    groups,
    is_a_name,
    safe,
    variables,
    windows,
)

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
HOSTILE = ("<script>", "\u202egnp.exe", "a" * 10_000, "日本語", "{{ 1 + 1 }}", "\x00", "é", "all:!x", "\ud800", "x;y")


def identity(ends: str | None = "2026-12-31T09:00:00Z", **said: t.Any) -> dict[str, t.Any]:
    plain = {"revoked": None, "key_type": "rsa-2048", "custody": "file", "service": "shop", "contact": None}
    return {**plain, "issuer_id": "local:ca:" + "0" * 32, "certificate": ends and {"not_after": ends}, **said}


def times(ends: str | None, *within: str) -> list[str]:
    found = groups([identity(ends)], windows(within or ("7d", "30d")), NOW)
    return [one for one in found if one.startswith("expire")]


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("2026-01-31T08:59:59Z", ["expired"]),
        ("2026-01-31T09:00:00Z", ["expires_within_30d", "expires_within_7d"]),
        ("2026-02-07T09:00:00Z", ["expires_within_30d", "expires_within_7d"]),
        ("2026-02-07T09:00:01Z", ["expires_within_30d"]),
        ("2026-03-02T09:00:01Z", []),
        (None, []),
    ],
)
def test_a_host_is_in_every_window_that_an_end_is_in(ends: str | None, expected: list[str]) -> None:
    assert times(ends) == expected


def test_a_host_is_in_the_groups_of_all_its_identities() -> None:
    others = {"key_type": "ed25519", "service": None, "issuer_id": "openbao:https://bao:8200/v1/pki", "revoked": "why"}
    assert groups([identity(), identity(**others)], {}, NOW) == [
        "algorithm_ed25519", "algorithm_rsa_2048", "custody_file", "issuer_local_ca",
        "issuer_openbao_https_bao_8200_v1_pki", "revoked", "service_shop",
    ]  # fmt: skip


def test_hostile_names_become_names_of_groups_and_do_not_become_one() -> None:
    found = [safe(f"service_{one}") for one in HOSTILE]
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", one) for one in found)
    assert len(set(found)) == len(HOSTILE)
    assert [safe(one) for one in ("shop-front", "shop.front", "1st")] == ["shop_front", "shop_front", "_1st"]


@pytest.mark.parametrize("one", ["a week", "7", "-1d", ""])
def test_a_window_that_is_none_is_refused(one: str) -> None:
    with pytest.raises(Misconfigured, match=r"ledger: option expiry_groups: .* is not a duration"):
        windows([one])


def test_the_name_of_a_host_is_no_pattern_and_no_template() -> None:
    assert all(map(is_a_name, ("web1", "web1.example.org", "2001:db8::1", "xn--bcher-kva", "wéb")))
    wrong = ("", "a b", "{{ x }}", "web[1:3]", "a,b", "!web", "&web", "a\u202eb", "a\n", "x" * 300)
    assert not any(map(is_a_name, wrong))


def test_variables_are_the_soonest_end_and_who_is_concerned() -> None:
    found = variables([identity(contact="b"), identity("2026-05-01T00:00:00Z", contact="a"), identity(None)])
    assert found["keystead_expires_at"] == "2026-05-01T00:00:00Z"
    assert (found["keystead_contacts"], found["keystead_services"]) == (["a", "b"], ["shop"])
    assert len(found["keystead_identities"]) == 3
