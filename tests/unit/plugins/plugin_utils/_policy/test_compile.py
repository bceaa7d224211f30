# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is wrong with a policy is told with file, line, rule and remedy."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.compile import compiled
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.facts import FACTS
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.read import read
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.one_core

HEAD = "format: 1\nrules:\n"
WRONG: list[tuple[str, str]] = [
    ("", "policy: p.yml is empty; write format: 1 and rules:"),
    ("- a", "policy: p.yml line 1, a list is not a mapping; write a mapping"),
    ("format: 1\nrules: [", "policy: p.yml line 2: it is not YAML: "),
    ("format: 1\nrules: []\n---\nformat: 1\n", "policy: p.yml line 3: it is not YAML: "),
    ("format: 2\nrules: []", "policy: p.yml line 1, format: 2 is not possible; write 1"),
    ("format: 1", "policy: p.yml line 1, rules is missing; write it"),
    ("format: 1\nrules: {}", "policy: p.yml line 2, rules: a mapping is not a list; write a list"),
    ("format: 1\nrules: []\nrule: []", "policy: p.yml line 3, rule: it is unknown; did you mean rules?"),
    ("format: 1\nrules: []\nrules: []", "policy: p.yml line 3: rules: it stands there twice"),
    ("format: 1\nrules: &a []\nwaivers: *a", "policy: p.yml line 3: waivers: it is an alias of a value"),
    (HEAD + "- contact: {}", "policy: p.yml line 3, rule 1: id is missing; write it"),
    (
        HEAD + "- id: Keys\n  contact: {}",
        "policy: p.yml line 3, rule Keys: id: 'Keys' is not possible; write up to 63 of",
    ),
    (HEAD + "- id: keys", "policy: p.yml line 3, rule keys: it says nothing; write exactly one of key_type, "),
    (
        HEAD + "- id: keys\n  contact: {}\n  profile: {allow: [tls_server]}",
        "policy: p.yml line 3, rule keys: it says contact and profile; write exactly one of them",
    ),
    (
        HEAD + "- id: keys\n  key_typ: {}",
        "policy: p.yml line 4, rule keys: key_typ: it is unknown; did you mean key_type?",
    ),
    (
        HEAD + "- id: keys\n  key_type:\n    allow:\n    - ed25519\n    - rsa-1024",
        "policy: p.yml line 7, rule keys: key_type.allow[1]: 'rsa-1024' is not possible; write one of ecdsa-p256",
    ),
    (HEAD + "- id: keys\n  key_type: {}", "policy: p.yml line 4, rule keys: key_type: allow is missing; write it"),
    (
        HEAD + "- id: life\n  lifetime: {longest: 30}",
        "rule life: lifetime.longest: 30 is not a text or a mapping; write a number and s, m, h or d, for example 30d",
    ),
    (
        HEAD + "- id: life\n  lifetime: {longest: 3 weeks}",
        "lifetime.longest: '3 weeks' is not possible; write a number",
    ),
    (
        HEAD + "- id: life\n  lifetime: {longest: {2027-02-30: 3d}}",
        "policy: p.yml line 4, rule life: lifetime.longest: 2027-02-30 is no day of the calendar",
    ),
    (HEAD + "- id: life\n  lifetime: {longest: {soon: 3d}}", "lifetime.longest.soon: it is unknown; known are fact"),
    (
        HEAD + "- id: life\n  lifetime: {longest: {fact: nope}}",
        "longest.fact: 'nope' is not possible; write one of apple",
    ),
    (
        HEAD + "- id: life\n  lifetime: {longest: {fact: public-tls-validity, 2027-01-01: 3d}}",
        "policy: p.yml line 4, rule life: lifetime.longest: it says fact and 2027-01-01; write one of them alone",
    ),
    (
        HEAD + "- id: a\n  names: {ip_addresses: [10.0.0.1/8]}",
        "rule a: names.ip_addresses: 10.0.0.1/8 has host bits set",
    ),
    (
        HEAD + "- id: a\n  issuer: {allow: [{local: {passphrase: x}}]}",
        "rule a: issuer.allow[0].local.passphrase: it is unk",
    ),
    (
        HEAD + "- id: a\n  contact: {}\n  severity: error",
        "rule a: severity: 'error' is not possible; write one of enforce,",
    ),
    (
        HEAD + "- id: a\n  contact: {}\n  enforce_from: soon",
        "rule a: enforce_from: 'soon' is not possible; write a day,",
    ),
    (HEAD + "- id: a\n  contact: {}\n  enforce_from: 2027-13-01", "enforce_from: 2027-13-01 is no day of the calendar"),
    (
        HEAD + "- id: a\n  contact: {}\n  enforce_from: 2027-01-01\n  severity: warn",
        "policy: p.yml line 3, rule a: enforce_from makes no sense beside severity: warn",
    ),
    (
        HEAD + "- id: a\n  contact: {}\n- id: a\n  contact: {}",
        "policy: p.yml line 5, rule a: id: another rule has this id",
    ),
    (HEAD + "- id: a\n  weak_keys: {lists: [x]}\n  severity: warn", "rule a: a weak key is never signed"),
    (
        HEAD + "- id: a\n  contact: {}\nwaivers:\n- {rule: b, contact: c, until: 2027-01-01}",
        "policy: p.yml line 6, waiver b: rule: there is no such rule; write one of a",
    ),
    (HEAD + "- id: a\n  contact: {}\nwaivers:\n- {rule: a, until: 2027-01-01}", "line 6, waiver a: contact is missing"),
    (HEAD + "- id: a\n  contact: {}\nwaivers:\n- {rule: a, contact: me}", "line 6, waiver a: until is missing"),
    (
        HEAD + "- id: a\n  weak_keys: {lists: [/x]}\nwaivers:\n- {rule: a, contact: me, until: 2027-01-01}",
        "waiver a: rule: a weak key is never signed; make another key",
    ),
    (HEAD + "- id: a\n  delivery: {}", "line 4, rule a: delivery: it is empty; write at least one of links, activate,"),
    (HEAD + "- id: a\n  holders: {groups: [a]}", "line 4, rule a: holders: nothing is held; write names or services"),
    ("format: 01\nrules: []", "policy: p.yml line 1, format: '01' is not possible; write 1"),
    (f"format: {'1' * 5000}\nrules: []", "policy: p.yml line 1, format: '111"),
    (
        HEAD + "- id: a\n  key_size: {rsa: 03072}",
        "policy: p.yml line 4, rule a: key_size.rsa: '03072' is not a number or a mapping; write a number of bits",
    ),
    (
        HEAD + '- id: a\n  lifetime: {longest: "5d\\n"}',
        "policy: p.yml line 4, rule a: lifetime.longest: '5d\\n' is not possible; write a number and s, m, h or d",
    ),
    (
        HEAD + '- id: a\n  lifetime: {longest: {"2027-01-01\\n": 5d}}',
        "lifetime.longest.2027-01-01",
    ),
    (HEAD + '- id: "a\\n"\n  contact: {}', "id: 'a\\n' is not possible; write up to 63 of"),
    (
        HEAD + '- id: a\n  contact: {}\n  enforce_from: "2027-01-01\\n"',
        "policy: p.yml line 5, rule a: enforce_from: '2027-01-01\\n' is not possible; write a day",
    ),
    (
        "format: 1\nrules: {{ x }}",
        "policy: p.yml line 2: rules: a name is no plain text; a policy is no template, so write what shall hold",
    ),
    (
        HEAD + "- id: a\n  issuer: {allow: [{local: {}, acme: {}}]}",
        "rule a: issuer.allow[0]: it says local and acme; write one of them alone",
    ),
    (
        HEAD + "- id: a\n  profile: {allow: [tls_server, tls_server]}",
        "rule a: profile.allow: a value stands there twice; write each once",
    ),
    *(
        (HEAD + f"- id: a\n  {rule}", f"policy: p.yml line 4, rule a: {words}")
        for rule, words in (
            (
                "names: {forbid: [' pay.example.org']}",
                "names.forbid: ' pay.example.org' begins or ends with white space;",
            ),
            ("names: {forbid: [pay.example.org.]}", "names.forbid: 'pay.example.org.' ends with a dot"),
            ("names: {dns_names: [pay.example.org.]}", "names.dns_names: 'pay.example.org.' ends with a dot"),
            (
                "names: {forbid: ['pay?.example.org']}",
                "names.forbid: 'pay?.example.org' has ?, which stands for itself",
            ),
            ("holders: {names: ['pay[12].org'], groups: [a]}", "holders.names: 'pay[12].org' has [, which stands for"),
            ("names: {forbid: [192.0.2.0/24]}", "names.forbid: '192.0.2.0/24' is a network; write the addresses"),
            ("names: {forbid: ['2001:db8::/32']}", "names.forbid: '2001:db8::/32' is a network"),
            ("names: {forbid: ['bü*.example.org']}", "names.forbid: 'bü*' has no A-label; write the label"),
            ("names: {uris: ['a**b**c**d**']}", "names.uris: 'a**b**c**d**' has more than 3 **; correct it"),
            (
                "names: {uris: ['*a*b*.*c*d*e*f']}",
                "names.uris: '*a*b*.*c*d*e*f' has more than 3 * without a dot between them; correct it",
            ),
            ("names: {forbid: [.example.org]}", "names.forbid: '.example.org' has an empty label"),
            ("names: {forbid: []}", "names.forbid: it is empty, so it holds for nobody; write a list of patterns"),
            ("holders: {services: [], groups: [a]}", "holders.services: it is empty, so it holds for nobody"),
            ("weak_keys: {lists: []}", "weak_keys.lists: it is empty, so it holds for nobody"),
        )
    ),
    (
        HEAD + "- id: a\n  contact: {}\n  only: {groups: []}",
        "policy: p.yml line 5, rule a: only.groups: it is empty, so it holds for nobody",
    ),
    (
        HEAD + "- id: a\n  contact: {}\n  only: {hosts: ['web[12]']}",
        "policy: p.yml line 5, rule a: only.hosts: 'web[12]' has [, which stands for itself alone",
    ),
    ("format: 1\nrules: " + "[" * 3000, "policy: p.yml"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_an_error_names_file_line_rule_and_remedy(text: str, words: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        compiled(text, "p.yml")
    assert words in str(wrong.value)
    assert str(wrong.value).startswith("policy: p.yml")
    assert "\n" not in str(wrong.value)
    assert len(str(wrong.value)) < 600


def test_at_most_five_errors_are_told_in_the_order_of_their_lines() -> None:
    rules = "".join(f"- id: r{number}\n  contact: 1\n" for number in range(8))
    with pytest.raises(Misconfigured) as wrong:
        compiled(HEAD + rules, "p.yml")
    lines = [part.split(",")[0] for part in str(wrong.value).split("line ")[1:]]
    assert lines == ["4", "6", "8", "10", "12"]
    assert str(wrong.value).endswith("; and 3 more")


USES = {"key_type": "allow", "key_size": "rsa", "key_age": "longest", "lifetime": "shortest", "profile": "allow"}


@pytest.mark.parametrize("kind", USES)
def test_a_fact_is_used_where_its_values_fit_and_refused_elsewhere(kind: str) -> None:
    used = []
    for name in FACTS:
        try:
            compiled(HEAD + f"- id: a\n  {kind}: {{{USES[kind]}: {{fact: {name}}}}}\n", "p.yml")
        except Misconfigured as error:
            assert f"fact: '{name}' is not possible; write " in str(error)  # noqa: PT017  either is right
        else:
            used.append(name)
    durations = [name for name in FACTS if name.endswith(("-validity", "-period"))]
    profiles = [name for name in FACTS if "client" in name]
    fitting = {"key_type": ["cnsa-2.0", "nist-112-bits", "nist-quantum-safe"], "profile": profiles, "key_size": []}
    assert sorted(used) == sorted(fitting.get(kind, durations))


def test_days_stay_text_and_every_value_has_its_line() -> None:
    said, lines = read("format: 1\nrules:\n- id: a\n  enforce_from: 2027-03-15\n  on: no\n", "p.yml")
    assert said == {"format": 1, "rules": [{"id": "a", "enforce_from": "2027-03-15", "on": False}]}
    assert (lines["rules", 0, "enforce_from"], lines["rules", 0]) == (4, 3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: (
        st.lists(below, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "rules", "key_type", "allow", "lifetime", "longest", "only", "x"]), below
        )
    ),
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_whatever_is_written_there_ends_in_a_policy_or_in_one_sentence(rule: t.Any) -> None:
    try:
        found = compiled(json.dumps({"format": 1, "rules": [rule, {"id": "a", "lifetime": rule}]}), "p.yml")
    except Misconfigured as error:
        assert str(error).startswith("policy: p.yml")  # noqa: PT017  either is right
    else:
        assert len(found["rules"]) == 2


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_no_text_ends_in_a_traceback(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"^policy: p\.yml"):
        compiled(text, "p.yml")
