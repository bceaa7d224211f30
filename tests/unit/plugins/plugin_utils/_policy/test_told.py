# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Every rule that asks for what is not told cannot tell, and never says that all is well."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.candidate import Candidate
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.compile import compiled
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.policy import Policy
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.rules import RULES
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.signer import of_id
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.told import NotTold, first
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.vocabulary import ONLY

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

NOTHING = frozenset(Candidate._fields) - {"kind", "untold"}
SAID: dict[str, dict[str, t.Any]] = {
    "key_type": {"allow": []},
    "key_size": {"rsa": 2048},
    "weak_keys": {"lists": ["weak.txt"]},
    "signature": {"allow": []},
    "key_age": {"longest": "1d"},
    "key_reuse": {"allow": False},
    "shared_key": {"allow": False},
    "extractable_keys": {"allow": False},
    "emergency_revocation": {"allow": False},
    "custody": {"origin": ["host"]},
    "lifetime": {"longest": "1d"},
    "profile": {"allow": []},
    "names": {"dns_names": []},
    "holders": {"names": ["a"], "groups": []},
    "contact": {},
    "issuer": {"allow": []},
    "delivery": {"links": []},
    "connection": {"transports": []},
}
LIMITED: dict[str, t.Any] = {
    "identities": ["a"], "hosts": ["a"], "groups": ["a"], "services": ["a"], "profiles": ["tls_server"],
    "key_types": ["ed25519"], "custody": ["file"], "issuers": [{"local": {}}],
}  # fmt: skip


def policy(path: Path, *rules: dict[str, t.Any]) -> Policy:
    (path / "weak.txt").write_text(f"{'a' * 64}\n", encoding="ascii")
    text = json.dumps({"format": 1, "rules": [{"id": f"r{number}", **one} for number, one in enumerate(rules)]})
    return Policy(compiled(text, "policy.yml"), str(path / "policy.yml"), "2026-11-22")


def test_every_rule_and_every_limit_is_looked_at_here() -> None:
    assert set(SAID) == set(RULES)
    assert set(LIMITED) == set(ONLY) - {"kinds"}


@pytest.mark.parametrize("kind", SAID)
def test_a_rule_cannot_tell_of_what_nothing_is_known(tmp_path: Path, kind: str) -> None:
    found = policy(tmp_path, {kind: SAID[kind]})
    candidate = Candidate("web", "web1", untold=NOTHING)
    assert (found.verdicts(candidate), [rule for rule, _asks in found.not_told(candidate)]) == ([], ["r0"])


@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_that_is_not_told_leaves_open_what_would_be_broken_and_nothing_else(tmp_path: Path, name: str) -> None:
    only = {"only": {name: LIMITED[name]}}
    found = policy(tmp_path, {"contact": {}, **only}, {"contact": {"like": ["me"]}, **only})
    candidate = Candidate("web", "web1", contact="me", untold=NOTHING - {"contact"})
    assert (found.verdicts(candidate), found.not_told(candidate)) == ([], [])
    nobodys = candidate._replace(contact=None)
    assert (found.verdicts(nobodys), [rule for rule, _asks in found.not_told(nobodys)]) == ([], ["r0", "r1"])


def test_one_limit_that_is_not_met_decides_whatever_another_is(tmp_path: Path) -> None:
    only = {"only": {"groups": ["dmz"], "hosts": ["db*"]}}
    found = policy(tmp_path, {"contact": {}, **only})
    candidate = Candidate("web", "web1", untold=frozenset({"groups"}))
    assert found.not_told(candidate) == []
    assert found.not_told(candidate._replace(host="db1")) == [("r0", "groups")]


def test_the_options_of_an_issuer_are_told_as_far_as_its_id_has_them() -> None:
    backend, options = of_id("openbao:https://bao.example.org/v1/pki/issuer/2026") or ("", {})
    assert (backend, dict(options)) == (
        "openbao", {"url": "https://bao.example.org", "namespace": "", "mount": "pki", "issuer_ref": "2026"},
    )  # fmt: skip
    with pytest.raises(NotTold, match="issuer role"):
        options.get("role")
    _backend, options = of_id("openbao:https://bao.example.org/v1/team/pki") or ("", {})
    with pytest.raises(NotTold, match="issuer mount"):
        options.get("mount")


def ask(word: str) -> str:
    if word == "it":
        raise NotTold(word)
    return word


def test_the_first_answer_decides_and_without_one_nobody_can_tell() -> None:
    assert first(ask, ["it", "", "yes"]) == "yes"
    assert first(ask, ["", ""]) is None
    with pytest.raises(NotTold):
        first(ask, ["it", ""])
