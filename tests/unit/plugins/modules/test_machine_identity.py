# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The page of machine_identity: its examples are valid, its records are those of the design."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.module_utils._core.model import ACTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import IDENTITY, OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.module_utils._options.planned import PLANNED, refuse_planned
from ansible_collections.keystead.identity.plugins.modules import machine_identity
from ansible_collections.keystead.identity.plugins.plugin_utils._declare import declarations
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

NAME = "machine_identity"
EXAMPLES = yaml.safe_load(machine_identity.EXAMPLES)
PROMISED = """
    name kind state common_name dns_names ip_addresses uris email_addresses profile key lifetime renew_before contact
    service labels owner group mode links replace_files activate prove keep_generations generation revoke_on_absent
    issuer adopt publish trusts principals
"""
PROMISED_OF_A_TASK = "issuer issuers identities store scope purge wait check_status plan approvals"
PROMISED_OF_A_RECORD = "name changed failed msg generation steps certificate findings custody key_uri paths"
PROMISED_OF_A_CERTIFICATE = """
    serial_number fingerprint_sha256 spki_sha256 not_before not_after issuer subject dns_names principals
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_an_example_is_valid_and_means_something(example: dict[str, t.Any]) -> None:
    args = yaml.safe_load(
        yaml.safe_dump(example["keystead.identity.machine_identity"]).replace("{{ inventory_hostname }}", "a")
    )
    refuse_planned(args, NAME)
    declared = declarations(validated(args, spec(COMMON, OPTIONS), module=NAME))
    assert [one.identity.name for one in declared] == [one["name"] for one in args["identities"]]


def test_every_option_of_the_design_is_built_or_refused_by_name() -> None:
    assert {*IDENTITY, *PLANNED[NAME]["identities"]} >= set(PROMISED.split())
    assert {*OPTIONS, *PLANNED[NAME]} >= set(PROMISED_OF_A_TASK.split())


def test_the_records_have_the_names_of_the_design() -> None:
    record = yaml.safe_load(machine_identity.RETURN)["identities"]["contains"]
    assert set(record) == set(PROMISED_OF_A_RECORD.split())
    assert set(record["steps"]["contains"]) == {"action", "reason"}
    assert record["steps"]["contains"]["action"]["sample"] in ACTIONS
    assert set(record["certificate"]["contains"]) == set(PROMISED_OF_A_CERTIFICATE.split())
