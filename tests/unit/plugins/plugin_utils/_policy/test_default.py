# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The shipped policy is the documented one, lets through what is safe, and costs a run next to nothing."""

from __future__ import annotations

import json
import re
import time
import typing as t
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_TYPES
from ansible_collections.keystead.identity.plugins.module_utils._core.model import PROFILES, Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.candidate import Candidate
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.compile import compiled
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.connection import Reached
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.default import DEFAULT
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.facts import FACTS
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.live import Live
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.load import load
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.review import Review
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.schema import schema
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.vocabulary import RULES
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from jsonschema import Draft202012Validator

pytestmark = pytest.mark.one_core

ROOT = Path(__file__).resolve().parents[5]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = 86400
BLOCKS = re.findall(r"^```yaml\n(format: 1\n.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def candidate(**said: t.Any) -> Candidate:
    names = Subject(dns_names=("web.example.org",))
    base = {"lifetime": 30 * DAY, "subject": names, "issuer": ("local", {"authority": "issuing"})}
    return Candidate("web", "web1", **{**base, **said})


def verdicts(one: Candidate, now: datetime = NOW) -> dict[str, str]:
    """Return the rules that the shipped policy finds broken, with their severity."""
    return {verdict.rule: verdict.severity for verdict in load(None, now).verdicts(one)}


def test_the_shipped_policy_is_the_one_on_its_page() -> None:
    assert compiled(BLOCKS[-1], "docs/policy.md") == DEFAULT


def test_what_the_page_shows_is_a_policy() -> None:
    assert len(BLOCKS) == 2
    assert [rule["id"] for rule in compiled(BLOCKS[0], "docs/policy.md")["rules"]] == [
        "keys",
        "shop-names",
        "short-lives",
        "who",
    ]


def test_the_page_has_every_rule_and_every_fact_with_its_source_and_dates() -> None:
    assert not [name for name in RULES if f"| `{name}` |" not in PAGE]
    for name, fact in FACTS.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`: "))
        assert all(words in row for words in (fact.says, fact.source, *fact.steps))
        assert ("secondary" in row) == (fact.checked == "secondary")


def test_the_schema_for_editors_is_the_schema() -> None:
    assert json.loads((ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8")) == schema()
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_dated_and_names_its_source(name: str) -> None:
    fact = FACTS[name]
    assert list(fact.steps) == sorted(fact.steps)
    assert [date.fromisoformat(day).isoformat() for day in fact.steps] == list(fact.steps)
    assert fact.says
    assert fact.source
    assert fact.checked in ("primary", "secondary")


@pytest.mark.parametrize("key_type", KEY_TYPES)
@pytest.mark.parametrize("profile", PROFILES)
def test_it_lets_through_what_is_safe(key_type: str, profile: str) -> None:
    assert verdicts(candidate(key_type=key_type, profile=profile)) == {}
    assert verdicts(candidate(key_type=key_type, kind="authority", lifetime=3650 * DAY)) == {}


def test_a_run_under_it_says_nothing_of_itself(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.settled([web(), web(name="api", key={"type": "rsa-2048"})])["warnings"] == []


LE = ("acme", {"directory_url": "https://acme-v02.api.letsencrypt.org/directory"})
REFUSED: list[tuple[dict[str, t.Any], dict[str, t.Any], dict[str, str]]] = [
    ({"lifetime": 826 * DAY}, {"lifetime": 825 * DAY}, {"tls-lifetime": "enforce"}),
    (
        {"profile": "tls_client", "lifetime": 1096 * DAY},
        {"profile": "tls_client", "lifetime": 1095 * DAY},
        {"key-age": "enforce"},
    ),
    (
        {"issuer": LE, "lifetime": 201 * DAY},
        {"issuer": LE, "lifetime": 90 * DAY},
        {"public-tls-lifetime": "enforce", "lets-encrypt-lifetime": "warn"},
    ),
    ({"issuer": LE, "lifetime": 200 * DAY}, {"issuer": LE, "lifetime": 90 * DAY}, {"lets-encrypt-lifetime": "warn"}),
    ({"issuer": LE, "profile": "tls_peer"}, {"issuer": LE}, {"public-tls-client": "enforce"}),
    (
        {"publish": (("aws_acm", ("private_key",)),)},
        {"publish": (("pkcs12", ("private_key",)),)},
        {"private-key-stays": "enforce"},
    ),
    ({"reuse": True}, {}, {"key-reuse": "warn"}),
    ({"shared_with": ("web on web2",)}, {}, {"shared-key": "warn"}),
    (
        {"reached": Reached("ssh", authenticated=False, why_not="host_key_checking is off")},
        {"reached": Reached("ssh")},
        {"host-keys": "warn"},
    ),
]


@pytest.mark.parametrize(("broken", "kept", "rules"), REFUSED)
def test_it_finds_what_is_not(broken: dict[str, t.Any], kept: dict[str, t.Any], rules: dict[str, str]) -> None:
    assert verdicts(candidate(**broken)) == rules
    assert verdicts(candidate(**kept)) == {}


@pytest.mark.parametrize(
    ("year", "rules"), [(2030, {}), (2031, {"rsa-2048": "warn"}), (2036, {"rsa-2048": "warn", "quantum": "warn"})]
)
def test_it_knows_when_an_algorithm_ends(year: int, rules: dict[str, str]) -> None:
    assert verdicts(candidate(key_type="rsa-2048"), datetime(year, 1, 2, tzinfo=UTC)) == rules


@pytest.mark.parametrize(("day", "refused"), [("2027-02-09", 91), ("2027-02-10", 65), ("2028-02-16", 46)])
def test_it_knows_how_long_lets_encrypt_signs_for(day: str, refused: int) -> None:
    now = datetime.fromisoformat(f"{day}T12:00:00Z")
    found = [set(verdicts(candidate(issuer=LE, lifetime=days * DAY), now)) for days in (refused - 1, refused)]
    assert found == [set(), {"lets-encrypt-lifetime"}]


@pytest.mark.parametrize(("count", "milliseconds"), [(1, 1.0), (10, 1.0), (50, 2.0), (500, 15.0)])
def test_it_costs_a_run_next_to_nothing(count: int, milliseconds: float) -> None:
    """The usual figures are 0.03 ms, and 0.005 ms an identity; here is room for a slow and busy machine."""
    many, known = [candidate() for _number in range(count)], Live({}, NOW)
    took = []
    for _time in range(7):
        start = time.perf_counter()
        Review(load(None, NOW), many).settle(known)
        took.append(time.perf_counter() - start)
    assert min(took) * 1000 < milliseconds
