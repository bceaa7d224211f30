# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is promised and not built is refused by name."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.planned import refuse_planned

WEB = "machine_identity: option identities[web]."


def task(**more: t.Any) -> dict[str, t.Any]:
    """Return a task of one identity with more options in it."""
    return {"issuer": {"local": {}}, "identities": [{"name": "web", **more}]}


@pytest.mark.parametrize(
    ("args", "begins"),
    [
        ({"approvals": []}, "machine_identity: option approvals is not built yet in keystead.identity 0.1.0"),
        ({"issuers": [{"est": {}}, {"local": {"ca_bundle": "x"}}]}, "machine_identity: option issuers[1].local."),
        (task(key={"reuse": True}), WEB + "key.reuse true is not built yet"),
        (task(key={"reuse": "yes"}), WEB + "key.reuse yes is not built yet"),
        (task(issuer={"local_ssh": {"ca_bundle": "x"}}), WEB + "issuer.local_ssh.ca_bundle is not built yet"),
        ({"identities": [{"key": {"reuse": True}}]}, "machine_identity: option identities[0].key.reuse true is not"),
    ],
)
def test_what_is_not_built_is_refused_by_its_name(args: dict[str, t.Any], begins: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        refuse_planned(args, "machine_identity")
    assert str(refused.value).startswith(begins)
    assert "; " in str(refused.value)


def test_an_issuer_that_may_have_signed_what_is_recorded_anew_is_refused_alike() -> None:
    with pytest.raises(Misconfigured, match=r"^ledger_rebuild: option issuers\[0\]\.local\.ca_bundle is not built yet"):
        refuse_planned({"issuers": [{"local": {"ca_bundle": "x"}}]}, "ledger_rebuild")


@pytest.mark.parametrize(
    "args",
    [
        task(key={"reuse": False, "origin": "host", "custody": {"file": {}}}, kind="x509"),
        task(key={"reuse": "no"}, publish=None, state="absent"),
        {"policy": "/etc/policy.yml", "plan": None, "check_status": "ledger", "issuer": {"local": {}, "openbao": None}},
        {"issuer": "not a mapping", "identities": "neither"},
        {"identities": ["nor this"], "issuers": {"local": {}}},
    ],
)
def test_nulls_defaults_and_what_validation_refuses_pass(args: dict[str, t.Any]) -> None:
    refuse_planned(args, "machine_identity")


def test_two_issuers_are_left_to_the_validation_which_names_both() -> None:
    refuse_planned({"issuer": {"local": {}, "acme": {}}}, "machine_identity")


