# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""identity_policy in playbooks: what fails, now and on days to come, why, and what to change."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import PEM
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.postgres import Server

POLICY = "keystead.identity.identity_policy"
UNREACHABLE = {"web1": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}}


def day(ahead: int) -> str:
    """Return a day so many days from today on."""
    return f"{datetime.now(UTC) + timedelta(days=ahead):%Y-%m-%d}"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world in which two identities of one host are live."""
    found = World(tmp_path / "world")
    api = {"name": "api", "dns_names": ["api.example.org"], "lifetime": "90d", "contact": "me", "service": "shop"}
    found.converge([web(lifetime="20d", contact="me", service="mail"), api])
    return found


def policy(path: Path, *rules: dict[str, t.Any], waivers: t.Sequence[dict[str, t.Any]] = ()) -> str:
    """Write a policy and return its path."""
    path.write_text(json.dumps({"format": 1, "rules": rules, "waivers": list(waivers)}), encoding="utf-8")
    return str(path)


def asked(home: Path, *tasks: dict[str, t.Any], args: t.Sequence[str] = (), **common: t.Any) -> list[dict[str, t.Any]]:
    """Run tasks of a host that cannot be reached; return what they returned."""
    said = [{POLICY: {**common, **one}, "ignore_errors": True} for one in tasks]
    done = playbook.run(said, UNREACHABLE, *args, home=home)
    assert "Traceback" not in done.stdout + done.stderr
    return playbook.results(home)


def test_what_fails_on_a_day_to_come_is_said_with_why_and_what_to_change(world: World, tmp_path: Path) -> None:
    rules = policy(
        tmp_path / "policy.yml",
        {"id": "lives", "lifetime": {"longest": {day(0): "200d", day(200): "47d"}}, "because": "page 7"},
    )
    before = world.snapshot()
    now, then, mail = asked(
        tmp_path / "home", {}, {"as_of": day(200)}, {"as_of": day(200), "service": "mail"},
        ledger=world.url, policy=rules,
    )  # fmt: skip
    assert (now["fails"], now["total"], now["counts"]) == ([], 0, {"managed": 2, "observed": 0, "declared": 0})
    breach, *ended = then["fails"]
    assert (breach["name"], breach["host"], breach["code"], breach["rule"]) == ("api", HOST, "policy", "lives")
    assert (breach["value"], breach["remedy"]) == ("lifetime 90d", "declare at most 47d")
    assert breach["msg"] == f"api on {HOST}: rule lives: lifetime 90d; declare at most 47d (page 7)"
    assert [(one["name"], one["code"], one["managed"]) for one in ended] == [
        ("web", "ended", True), ("api", "ended", True),
    ]  # fmt: skip
    assert then["by_rule"] == {"lives": 1, "ended": 2}
    assert [one["name"] for one in mail["fails"]] == ["web"]
    assert world.snapshot() == before, "it was only read"


def test_a_calendar_says_on_which_day_what_begins_to_fail(world: World, tmp_path: Path) -> None:
    rules = policy(
        tmp_path / "policy.yml",
        {"id": "lives", "lifetime": {"longest": {day(50): "80d", day(100): "30d"}}},
        {"id": "keys", "key_type": {"allow": ["ed25519"]}, "enforce_from": day(60)},
        {"id": "who", "contact": {"like": ["you"]}},
        waivers=[{"rule": "who", "contact": "ciso", "until": day(40), "identities": ["web"]}],
    )
    (result,) = asked(tmp_path / "home", {"until": day(400)}, ledger=world.url, policy=rules)
    days = {one["day"]: one for one in result["calendar"]}
    assert list(days) == sorted(days)
    assert set(days) == {day(20), day(41), day(50), day(60), day(90), day(100)}
    assert [one["name"] for one in days[day(20)]["ends"]] == ["web"]
    waived, lives, keys, ends, shorter = (days[day(n)] for n in (41, 50, 60, 90, 100))
    assert waived["changes"] == ["the waiver of ciso for rule who has ended"]
    assert [(one["name"], one["rule"], one["severity"]) for one in waived["fails"]] == [("web", "who", "enforce")]
    assert lives["changes"] == ["rule lives: lifetime longest becomes 80d"]
    assert [(one["name"], one["rule"]) for one in lives["fails"]] == [("api", "lives")]
    assert keys["changes"] == ["rule keys is enforced"]
    assert {(one["name"], one["severity"]) for one in keys["fails"]} == {("web", "enforce"), ("api", "enforce")}
    assert ([one["name"] for one in ends["ends"]], ends["totals"]) == (["api"], {"fails": 0, "ends": 1})
    assert shorter["changes"] == ["rule lives: lifetime longest becomes 30d"]
    assert shorter["fails"] == [], "what broke the rule before does not begin to"
    severities = {one["severity"] for one in result["fails"] if one["rule"] == "keys"}
    assert severities == {"later"}


def test_records_are_judged_as_ours_are(world: World, tmp_path: Path) -> None:
    rules = policy(tmp_path / "policy.yml", {"id": "keys", "key_size": {"rsa": 3072}})
    records = [{"name": "vpn", "host": "vpn1", "not_after": f"{day(30)}T00:00:00Z", "key_type": "rsa-2048"}]
    (tmp_path / "records.json").write_text(json.dumps(records))
    result, managed = asked(
        tmp_path / "home", {}, {"managed": True},
        ledger=world.url, policy=rules, records=[str(tmp_path / "records.json")],
    )  # fmt: skip
    assert [(one["name"], one["managed"], one["rule"]) for one in result["fails"]] == [("vpn", False, "keys")]
    assert result["fails"][0]["source"] == f"{tmp_path}/records.json:1"
    assert result["counts"] == {"managed": 2, "observed": 1, "declared": 0}
    assert managed["fails"] == []


def test_a_rule_about_one_issuer_is_about_what_that_one_signed(world: World, tmp_path: Path) -> None:
    lives = {"lifetime": {"longest": "1d"}}
    ours = {"issuers": [{"local": {"authority": "issuing"}}]}
    theirs = {"issuers": [{"acme": {"directory_url": "https://acme.example.org/**"}}]}
    rules = policy(tmp_path / "policy.yml", {"id": "ours", "only": ours, **lives}, {"id": "t", "only": theirs, **lives})
    (result,) = asked(tmp_path / "home", {}, ledger=world.url, policy=rules)
    assert {one["rule"] for one in result["fails"]} == {"ours"}
    assert result["total"] == 2


def test_what_a_ledger_cannot_tell_is_said_not_to_be_judged(world: World, tmp_path: Path) -> None:
    rules = policy(
        tmp_path / "policy.yml",
        {"id": "proved", "delivery": {"prove": True}},
        {"id": "dmz", "only": {"groups": ["dmz"]}, "lifetime": {"longest": "1d"}},
        {"id": "keys", "key_type": {"allow": ["ecdsa-p256"]}},
        {"id": "roots", "key_type": {"allow": ["rsa-4096"]}, "only": {"kinds": ["authority"]}},
        {"id": "made", "custody": {"origin": ["host"]}},
    )
    (result,) = asked(tmp_path / "home", {}, ledger=world.url, policy=rules)
    assert result["fails"] == []
    assert {one["rule"]: (one["asks"], one["total"]) for one in result["not_judged"]} == {
        "proved": (["prove"], 2), "dmz": (["groups"], 2), "roots": ([], 0), "made": (["key.origin"], 2),
    }  # fmt: skip


def test_a_list_is_cut_and_its_length_is_said(world: World, tmp_path: Path) -> None:
    rules = policy(tmp_path / "policy.yml", {"id": "lives", "lifetime": {"longest": {day(5): "1d"}}})
    (result,) = asked(
        tmp_path / "home", {"as_of": day(1), "until": day(9), "limit": 1}, ledger=world.url, policy=rules
    )
    assert (len(result["calendar"][0]["fails"]), result["calendar"][0]["totals"]) == (1, {"fails": 2, "ends": 0})


def test_two_policies_are_compared_over_the_ledger(world: World, tmp_path: Path) -> None:
    old = policy(tmp_path / "old.yml", {"id": "a", "lifetime": {"longest": "1d"}, "only": {"identities": ["web"]}})
    new = policy(
        tmp_path / "new.yml",
        {"id": "b", "lifetime": {"longest": "2d"}, "only": {"identities": ["web"]}},
        {"id": "keys", "key_type": {"allow": ["ed25519"]}, "only": {"identities": ["api"]}},
        {"id": "later", "lifetime": {"longest": {day(9): "1d"}}, "only": {"identities": ["api"]}},
    )
    forth, back, then, same = asked(
        tmp_path / "home",
        {"policy": old, "compare_with": new},
        {"policy": new, "compare_with": old},
        {"policy": old, "compare_with": new, "as_of": day(9)},
        {"policy": old, "compare_with": old},
        ledger=world.url,
    )
    assert [(one["name"], one["rule"]) for one in forth["difference"]["begins"]] == [("api", "keys")]
    assert forth["difference"]["ends"] == []
    assert forth["difference"]["totals"] == {"begins": 1, "ends": 0, "changes": 0, "both": 1}
    assert [(one["name"], one["rule"]) for one in back["difference"]["ends"]] == [("api", "keys")]
    assert then["difference"]["totals"] == {"begins": 2, "ends": 0, "changes": 0, "both": 1}
    assert same["difference"]["totals"] == {"begins": 0, "ends": 0, "changes": 0, "both": 1}
    assert (forth["difference"]["policy"], back["difference"]["policy"]) == (new, old)


def test_a_certificate_is_judged_without_a_ledger(world: World, tmp_path: Path) -> None:
    pem = world.certificate("api").public_bytes(PEM).decode()
    (tmp_path / "api.pem").write_text(pem)
    rules = policy(
        tmp_path / "policy.yml",
        {"id": "lives", "lifetime": {"longest": {day(9): "47d"}}},
        {"id": "who", "contact": {}},
    )
    now, then = asked(
        tmp_path / "home", {}, {"as_of": day(9)},
        certificates=[pem, str(tmp_path / "api.pem")], policy=rules, ledger="sqlite:////nowhere/ledger.db",
    )  # fmt: skip
    assert (now["fails"], now["counts"]) == ([], {"managed": 0, "observed": 2, "declared": 0})
    assert [one["rule"] for one in then["fails"]] == ["lives", "lives"]
    assert [one["name"] for one in then["fails"]] == ["api.example.org", str(tmp_path / "api.pem")]


def test_a_declaration_is_judged_by_all_that_its_task_would_be(world: World, tmp_path: Path) -> None:
    one = {"name": "web", "dns_names": ["www.example.org"], "lifetime": "90d", "contact": "me"}
    rules = policy(
        tmp_path / "policy.yml",
        {"id": "lives", "lifetime": {"longest": {day(9): "47d"}}},
        {"id": "proved", "delivery": {"prove": True}},
        {"id": "signs", "issuer": {"allow": [{"acme": {}}]}},
        {"id": "way", "connection": {"transports": ["ssh"]}},
    )
    made_here = {**one, "name": "here", "key": {"origin": "controller"}, "lifetime": "30d", "prove": {"port": 443}}
    (result,) = asked(
        tmp_path / "home",
        {"declarations": {"issuer": world.issuer(), "identities": [one, made_here]}, "as_of": day(9)},
        policy=rules,
        ledger="sqlite:////nowhere/ledger.db",
    )
    assert {(one["name"], one["rule"]) for one in result["fails"]} == {
        ("web", "lives"), ("web", "proved"), ("web", "signs"), ("here", "signs"), ("here", None),
    }  # fmt: skip
    (silent,) = (one for one in result["fails"] if one["rule"] is None)
    assert "has no rule for here that permits key.origin controller" in silent["value"]
    assert {one["host"] for one in result["fails"]} == {"web1"}
    assert (result["counts"]["declared"], [one["rule"] for one in result["not_judged"]]) == (2, ["way"])


def test_the_lookup_says_what_fails_of_each_term(world: World, tmp_path: Path) -> None:
    (tmp_path / "api.pem").write_bytes(world.certificate("api").public_bytes(PEM))
    rules = policy(tmp_path / "policy.yml", {"id": "lives", "lifetime": {"longest": {day(9): "47d"}}})
    said = f"policy='{rules}', as_of='{day(9)}', ledger='{world.url}', host='{HOST}'"
    declared = {"issuer": world.issuer(), "identities": [{"name": "n", "dns_names": ["n.example.org"]}]}
    ask = "query('keystead.identity.identity_policy'"
    facts = {
        "named": f"{{{{ {ask}, 'api', 'web', {said}) }}}}",
        "whole": f"{{{{ {ask}, part='record', {said}) }}}}",
        "file": f"{{{{ lookup('keystead.identity.identity_policy', '{tmp_path}/api.pem', policy='{rules}') }}}}",
        "declared": f"{{{{ {ask}, declarations=declared, {said}) }}}}",
        "wrong": f"{{{{ {ask}, 'nobody', {said}) }}}}",
    }
    tasks = [
        {"ansible.builtin.set_fact": {name: text}, "vars": {"declared": declared}, "ignore_errors": True}
        for name, text in facts.items()
    ]
    playbook.run(tasks, UNREACHABLE, home=tmp_path / "home")
    results = playbook.results(tmp_path / "home")
    named, whole, file, of_declared = (
        one["ansible_facts"][name] for one, name in zip(results, list(facts)[:4], strict=False)
    )
    assert named == [[f"api on {HOST}: rule lives: lifetime 90d; declare at most 47d"], []]
    assert [one["name"] for one in whole[0]] == ["api"]
    assert (file, of_declared) == ([], [[]])
    assert "the ledger knows no identity 'nobody'" in results[4]["msg"]


MISTAKES: list[tuple[dict[str, t.Any], str]] = [
    ({"as_of": "2020-01-01"}, "option as_of: 2020-01-01 is before"),
    ({"as_of": "soon"}, "option as_of: 'soon' is no moment"),
    ({"as_of": "9998-01-01"}, "option as_of: 9998-01-01 is more than 36500 days ahead"),
    ({"until": "2020-01-01"}, "option until: 2020-01-01 is before"),
    ({"as_of": "2050-01-01", "until": "2049-01-01"}, "option until: 2049-01-01 is before 2050-01-01T23:59:59Z"),
    ({"certificates": ["/nowhere.pem"]}, "option certificates: /nowhere.pem cannot be read on the controller"),
    ({"certificates": ["/etc/hosts"]}, "option certificates: /etc/hosts holds no certificate in PEM"),
    ({"certificates": ["/etc/hosts"], "service": "shop"}, "option service selects from the ledger"),
    ({"declarations": {"identities": [{"name": "web"}]}}, "declarations: identities[web].dns_names: profile"),
    ({"compare_with": "/nowhere.yml"}, "policy: option compare_with: /nowhere.yml cannot be read"),
    ({"limit": 0}, "option limit: 0 is not from 1 to 100000"),
    ({"policy": "/nowhere.yml"}, "policy: option policy: /nowhere.yml cannot be read"),
    ({"records": ["/nowhere.csv"]}, "records: /nowhere.csv cannot be read on the controller"),
    ({"ledger": "sqlite:////nowhere/ledger.db"}, "there is no ledger at sqlite:////nowhere/ledger.db"),
]


def test_what_is_wrong_is_one_sentence(world: World, tmp_path: Path) -> None:
    results = asked(tmp_path / "home", *({"ledger": world.url, **said} for said, _text in MISTAKES), args=["-vvv"])
    for (said, expected), result in zip(MISTAKES, results, strict=True):
        assert expected in result["msg"], said
        assert "\n" not in result["msg"]
        assert "fails" not in result


@pytest.mark.needs("postgres")
def test_an_auditor_of_a_ledger_in_postgresql_gets_findings_and_evidence(
    postgres_server: Server, tmp_path: Path
) -> None:
    name, world = postgres_server.ledger(), World(tmp_path / "world")
    world.one(web(contact="me", key={"type": "rsa-2048"}), **postgres_server.options(name))
    evidence = {"directory": str(tmp_path / "evidence"), "key": {"file": {"path": str(tmp_path / "evidence.key")}}}
    said = {"findings": True, "until": day(400), "evidence": evidence, "frameworks": ["pci_dss"]}
    (result,) = asked(tmp_path / "home", said, **postgres_server.options(name, AUDITOR))
    assert result["counts"]["managed"] == 1
    assert result["findings"] == []
    assert {one["control"]: one["state"] for one in result["controls"]} == {
        "4.2.1": "met", "4.2.1.1": "met", "10.3.4": "none", "12.3.3": "met",
    }  # fmt: skip
    (written,) = result["evidence"]
    assert Path(written["path"], "manifest.jws").is_file()
