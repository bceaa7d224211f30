# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Option tables, the documentation and the specs that come from them."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.doc_fragments import attributes, common, machine_identity, wire
from ansible_collections.keystead.identity.plugins.module_utils._options import (
    authority,
    issuers,
)
from ansible_collections.keystead.identity.plugins.module_utils._options import (
    machine_identity as tables,
)
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import Option, Table, doc, spec
from ansible_collections.keystead.identity.plugins.module_utils._options.wire import WIRE

ALL = {
    "common": COMMON,
    "machine_identity": tables.OPTIONS,
    "machine_identity_info": tables.INFO,
    "certificate_authority": authority.OPTIONS,
    "host_half": WIRE,
}
SECRET = ("pass", "secret", "token", "pin", "key", "pem", "credential", "hmac")


def leaves(table: Table, path: str) -> t.Iterator[tuple[str, str, Option]]:
    """Yield path, name and option of everything in a table."""
    for name, option in table.items():
        yield f"{path}.{name}", name, option
        if option.options is not None:
            yield from leaves(option.options, f"{path}.{name}")


EVERY = [pytest.param(name, option, id=path) for key, table in ALL.items() for path, name, option in leaves(table, key)]


@pytest.mark.parametrize(("name", "option"), EVERY)
def test_an_option_whose_name_looks_secret_says_whether_it_is(name: str, option: Option) -> None:
    if option.type in ("str", "path", "raw") and any(word in name.split("_") or word in name for word in SECRET):
        assert option.no_log is not None


@pytest.mark.parametrize(("name", "option"), EVERY)
def test_the_help_of_an_option_is_whole_sentences(name: str, option: Option) -> None:
    assert option.help[0].isupper()
    assert option.help.endswith(".")
    assert name.islower()


@pytest.mark.parametrize(("name", "option"), EVERY)
def test_a_default_is_valid_and_never_beside_required(name: str, option: Option) -> None:
    assert not (option.required and option.default is not None), name
    assert option.default is None or not option.choices or option.default in option.choices


def test_specs_and_documentation_agree_on_everything_but_secrets_and_exactly_one_of() -> None:
    def bare(entry: dict[str, t.Any], members: str, *drop: str) -> dict[str, t.Any]:
        kept = {key: value for key, value in entry.items() if key not in (*drop, members)}
        if members in entry:
            kept["members"] = {name: bare(one, members, *drop) for name, one in entry[members].items()}
        return kept

    specs = {name: bare(entry, "options", "no_log", "one_of") for name, entry in spec(tables.OPTIONS, COMMON).items()}
    docs = {name: bare(entry, "suboptions", "description") for name, entry in doc(tables.OPTIONS, COMMON).items()}
    assert specs == docs


def test_an_exactly_one_of_is_marked_in_the_spec_for_our_validation_only() -> None:
    entry = issuers.issuer("Who signs.").spec()
    assert entry["one_of"] is True
    assert not {"mutually_exclusive", "required_one_of"} & entry.keys()


@pytest.mark.parametrize(
    ("text", "table"),
    [
        (common.ModuleDocFragment.DOCUMENTATION, COMMON),
        (machine_identity.ModuleDocFragment.DOCUMENTATION, tables.OPTIONS),
        (machine_identity.ModuleDocFragment.INFO, tables.INFO),
        (wire.ModuleDocFragment.DOCUMENTATION, WIRE),
    ],
)
def test_a_fragment_documents_each_option_of_its_table(text: str, table: Table) -> None:
    assert yaml.safe_load(text)["options"].keys() == table.keys()


def test_the_attributes_name_the_action_group() -> None:
    group = yaml.safe_load(attributes.ModuleDocFragment.ACTIONGROUP_IDENTITY)["attributes"]["action_group"]
    assert group["membership"] == ["keystead.identity.identity"]


def test_nothing_but_the_wire_is_an_option_of_the_host() -> None:
    assert not WIRE.keys() & {*COMMON, "issuer", "issuers"}
