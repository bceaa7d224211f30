# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every role has, and that a role can say all that its module can."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.module_utils._options import (
    authority,
    cert_revoke,
    key_rotate,
    machine_identity,
    trust_bundle,
)
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON

pytestmark = pytest.mark.one_core

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
NOT_FOR_A_ROLE = {
    "authority": {
        "passphrase": "a secret that would stand in a variable; passphrase_file says it",
        "crl_url": "authority_url says it",
        "certificate_url": "authority_url says it",
        "crl_seen": "it looks what its hosts show",
        "state": "an authority is destroyed by its module, on purpose",
    },
    "identity": {"ledger_password": "a secret that would stand in a variable; ledger_password_file says it"},
    "revoke": {"ledger_password": "a secret that would stand in a variable; ledger_password_file says it"},
    "rotate": {"ledger_password": "a secret that would stand in a variable; ledger_password_file says it"},
}
MODULES = {
    "authority": authority.OPTIONS,
    "identity": {**machine_identity.OPTIONS, **COMMON},
    "revoke": {**cert_revoke.OPTIONS, **COMMON},
    "rotate": {**key_rotate.OPTIONS, **COMMON},
}


def read(role: str, path: str) -> t.Any:
    """Return a file of a role, parsed."""
    return yaml.safe_load((ROOT / "roles" / role / path).read_text(encoding="utf-8"))


def options(role: str) -> dict[str, dict[str, t.Any]]:
    """Return what a role may be told."""
    found: dict[str, dict[str, t.Any]] = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return found


@pytest.mark.parametrize("role", ROLES)
def test_the_defaults_of_a_role_are_those_that_its_documentation_names(role: str) -> None:
    documented = {name: said["default"] for name, said in options(role).items() if "default" in said}
    assert read(role, "defaults/main.yml") == documented


@pytest.mark.parametrize("role", ROLES)
def test_the_names_of_a_role_begin_with_its_own_and_all_are_used(role: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "roles" / role).rglob("*") if path.is_file()]
    tasks = "\n".join(text for text in texts if "argument_specs:" not in text)
    for name in options(role):
        assert name.startswith(f"{role}_")
        assert re.search(rf"\b{name}\b", tasks), name
    assert {name for name in read(role, "vars/main.yml") if not name.startswith(f"__{role}_")} == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_a_readme_and_a_page_and_a_test(role: str) -> None:
    assert f"keystead.identity.{role}" in (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "docsite" / "rst").glob("*.rst"))
    assert f"keystead.identity.{role}#role" in pages
    assert f"`{role}`" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert list((ROOT / "tests").rglob(f"test_role_{role}.py"))


@pytest.mark.parametrize("role", MODULES)
def test_a_role_can_say_what_its_module_can(role: str) -> None:
    said = {name.removeprefix(f"{role}_") for name in options(role)}
    assert {*MODULES[role]} - said == {*NOT_FOR_A_ROLE[role]}


def test_an_entry_of_the_role_trust_can_say_what_its_module_can() -> None:
    said = options("trust")
    assert said["trust_bundles"]["options"].keys() == trust_bundle.OPTIONS.keys()
    assert {*read("trust", "vars/main.yml")["__trust_keys"]} == trust_bundle.OPTIONS.keys()
    assert {f"trust_{name}" for name in COMMON} - said.keys() == {"trust_ledger_password"}
