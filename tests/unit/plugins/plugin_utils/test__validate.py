# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Validation gives what Ansible's own gives, says better what is wrong, and never repeats a secret."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import CUSTODIES
from ansible_collections.keystead.identity.plugins.module_utils._options.authority import OPTIONS as AUTHORITY
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.ledger import REBUILD
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import Option, spec
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import plain, validated
from hypothesis import given
from hypothesis import strategies as st

ISSUERS = "acme, local, openbao, est, scep, aws_pca, local_ssh, openbao_ssh"
CANARY = "CANARY-7f3a"
SPEC = spec(COMMON, OPTIONS)
LOCAL: dict[str, t.Any] = {"directory": "/srv/ca", "authority": "issuing"}
PLAIN = spec(
    {
        "text": Option("A text.", choices=("a", "1")),
        "number": Option("A number.", type="int", default=3),
        "flag": Option("A flag.", type="bool", required=True),
        "path": Option("A path.", type="path"),
        "many": Option("Some.", type="list", elements="str"),
        "inner": Option("A dictionary.", type="dict", options={"count": Option("How many.", type="int", default=1)}),
        "any": Option("Anything.", type="raw"),
    }
)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(
        ["a", "1", "yes", "off", "", "a,b", "~/x", "count=2", "{'count': 2}", '{"count": "x"}', "1.0", "٣"]
    ),
)
VALUES = st.one_of(
    st.none(),
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.sampled_from(["count", "other"]), SCALARS, max_size=2),
)


def test_a_path_with_a_nul_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"module: option path: it has a NUL character, which no path has"):
        validated({"flag": True, "path": "/srv/a\0b"}, PLAIN, module="module")


def task(**more: t.Any) -> dict[str, t.Any]:
    """Return a valid task of one identity, with more options in it."""
    return {"issuer": {"local": LOCAL}, "identities": [{"name": "web", "dns_names": ["a.example.org"], **more}]}


def refusal(args: dict[str, t.Any], wanted: dict[str, t.Any] = SPEC) -> str:
    """Return what validation says against the arguments."""
    with pytest.raises(Misconfigured) as refused:
        validated(args, wanted, module="machine_identity")
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    return str(refused.value)


@given(st.dictionaries(st.sampled_from([*PLAIN, "unknown"]), VALUES))
def test_what_is_accepted_is_what_ansible_makes_of_it(args: dict[str, t.Any]) -> None:
    try:
        ours = validated(args, PLAIN, module="test")
    except Misconfigured:
        return
    theirs = ArgumentSpecValidator(PLAIN).validate(plain(args))
    assert (ours, []) == (theirs.validated_parameters, theirs.error_messages)


def test_a_whole_task_is_read_as_ansible_reads_it() -> None:
    args = task(key={"type": "ed25519"}, prove={"port": "443"}, replace_files="yes", uris="a:b,c:d", mode="0640")
    library = {name: {**entry} for name, entry in SPEC.items()}
    theirs = ArgumentSpecValidator(library).validate(args).validated_parameters
    theirs["issuer"] = {name: said for name, said in theirs["issuer"].items() if said is not None}  # one_of is ours
    assert validated(args, SPEC, module="m") == theirs


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"issuer": {"local": LOCAL}}, "option identities is missing; it is required"),
        ({"identities": [{}]}, "option identities[0].name is missing; it is required"),
        ({"identities": None}, "option identities is missing; it is required"),
        (task(dns_name=["a"]), "option identities[web].dns_name is unknown; did you mean dns_names?"),
        (task(key={"size": 1}), "option identities[web].key.size is unknown; known are custody, origin, reuse, type"),
        (
            task(profile="tls_servr"),
            "option identities[web].profile: 'tls_servr' is none of tls_server, tls_client, tls_peer",
        ),
        (
            task(prove={"port": "https"}),
            "option identities[web].prove.port: 'https' is not a whole number; write digits",
        ),
        (task(prove={"port": True}), "option identities[web].prove.port: True is not a whole number; write digits"),
        (task(owner=True), "option identities[web].owner: True is not a string; quote it"),
        (task(dns_names={"a": 1}), "option identities[web].dns_names: a dictionary is not a list; write [one, two]"),
        (task(dns_names=["a", None]), "option identities[web].dns_names[1]: a null is not a string; write one text"),
        (
            task(replace_files="perhaps"),
            "option identities[web].replace_files: 'perhaps' is not true or false; write one of them",
        ),
        ({"identities": ["web"]}, "option identities[0]: a string is not a dictionary; write {name: value}"),
        (task(activate="nginx"), "option identities[web].activate: a string is not a dictionary; write {name: value}"),
        (
            task(key={"custody": {}}),
            f"option identities[web].key.custody: exactly one of {', '.join(CUSTODIES)} is needed, found none",
        ),
        (
            {**task(), "issuer": {"openbao": {}, "local": LOCAL}},
            f"option issuer: exactly one of {ISSUERS} is needed, found local and openbao",
        ),
        (
            {**task(), "issuers": [{"local": LOCAL}, {}]},
            f"option issuers[1]: exactly one of {ISSUERS} is needed, found none",
        ),
    ],
)
def test_a_refusal_names_option_value_and_remedy(args: dict[str, t.Any], says: str) -> None:
    assert refusal(args) == f"machine_identity: {says}"


def test_null_counts_as_absent() -> None:
    args = {
        **task(mode=None, key={"custody": {"file": {}, "other": None}}),
        "issuer": {"local": LOCAL, "openbao": None},
    }
    found = validated(args, SPEC, module="m")
    assert found["identities"][0]["mode"] == "0600"
    assert list(found["issuer"]) == ["local"]
    assert found["identities"][0]["key"]["custody"] == {"file": {}}


def test_the_arguments_are_left_as_they_are() -> None:
    args = task(prove={"port": "443"}, mode=None)
    before = json.dumps(args)
    validated(args, SPEC, module="m")
    assert json.dumps(args) == before


def test_nothing_keeps_a_tag_of_ansible() -> None:
    read = DataLoader().load("{a: [text, 1, 2.5, true, null, {b: 2026-11-21}], c: !unsafe '{{ x }}', d: null}")
    assert plain(read) == {"a": ["text", 1, 2.5, True, None, {"b": "2026-11-21"}], "c": "{{ x }}"}
    assert set(map(type, walk(plain(read)))) == {dict, list, str, int, float, bool, type(None)}


def walk(value: t.Any) -> t.Iterator[t.Any]:
    """Yield a value and everything in it."""
    yield value
    for member in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(member)


def secrets(table: dict[str, t.Any], path: tuple[str, ...] = ()) -> t.Iterator[tuple[str, ...]]:
    """Yield the path of each secret option."""
    for name, entry in table.items():
        if entry.get("no_log"):
            yield (*path, name)
        yield from secrets(entry.get("options", {}), (*path, name))


def placed(table: dict[str, t.Any], path: tuple[str, ...], value: t.Any) -> t.Any:
    """Return arguments that hold a value at a path."""
    if not path:
        return value
    inner = placed(table[path[0]].get("options", {}), path[1:], value)
    return {path[0]: [inner] if table[path[0]]["type"] == "list" and len(path) > 1 else inner}


@pytest.mark.parametrize(
    "wanted",
    [SPEC, spec(COMMON, AUTHORITY), spec(COMMON, REBUILD)],
    ids=["machine_identity", "certificate_authority", "ledger_rebuild"],
)
def test_no_secret_option_repeats_what_stands_in_it_however_wrong(wanted: dict[str, t.Any]) -> None:
    paths = list(secrets(wanted))
    assert ("ledger_password",) in paths
    for path in paths:
        for depth in range(1, len(path) + 1):
            for wrong in (CANARY, [CANARY], {"x": CANARY}, [[CANARY]], {"x": {"y": CANARY}}, f"a={CANARY}"):
                with pytest.raises(Misconfigured) as refused:
                    validated(placed(wanted, path[:depth], wrong), wanted, module="m")
                assert CANARY not in str(refused.value), (path, wrong)


def test_a_passphrase_of_one_letter_censors_nothing_public() -> None:
    args = {**task(), "scop": "x", "issuer": {"local": {**LOCAL, "passphrase": "e"}}}
    assert refusal(args) == "machine_identity: option scop is unknown; did you mean scope?"
