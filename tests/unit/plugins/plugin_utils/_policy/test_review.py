# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A rule never causes an outage: what is live and unchanged is renewed until the rule is enforced; waivers end."""

from __future__ import annotations

import json
import sqlite3
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import key_type_of
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.candidate import Candidate
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.compile import compiled
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.policy import Policy
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.review import Review
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.local import authority

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

TODAY = datetime.now(UTC).date()
SOON, YESTERDAY = (f"{TODAY + timedelta(days=days)}" for days in (3, -1))  # days to spare: a run may last over midnight
KEYS: dict[str, t.Any] = {"id": "keys", "key_type": {"allow": ["ecdsa-p384"]}}
LATER = {**KEYS, "enforce_from": SOON}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return World(tmp_path / "world")


def write(world: World, *rules: dict[str, t.Any], waivers: t.Sequence[dict[str, t.Any]] = ()) -> str:
    """Write a policy beside the world, and return its path."""
    path = world.directory.parent / "policy.yml"
    path.write_text(json.dumps({"format": 1, "rules": rules, "waivers": list(waivers)}), encoding="utf-8")
    return str(path)


def refusal(world: World, identity: dict[str, t.Any], policy: str) -> str:
    """Return why a task is refused; its host was not touched."""
    world.phases.clear()
    with pytest.raises(Denied) as refused:
        world.converge([identity], policy=policy)
    assert world.phases == []
    return str(refused.value)


def test_what_is_live_is_renewed_unchanged_with_a_warning_until_the_rule_is_enforced(world: World) -> None:
    world.converge([web(lifetime="20d")])
    policy = write(world, LATER)
    done = world.converge([web(lifetime="20d", renew_before="479h")], policy=policy)
    assert done["warnings"] == [
        f"policy: rule keys, web: key.type ecdsa-p256; use ecdsa-p384 (enforced from {SOON})"
    ]
    world.path("web", "1", "chain.pem").write_bytes(b"junk")
    done = world.settled([web(lifetime="20d")], policy=policy)
    assert reason(done["identities"][0]) == "chain.pem was changed on the host"
    assert key_type_of(world.certificate().public_key()) == "ecdsa-p256"
    assert world.current() == 2


def test_what_is_new_keeps_a_rule_from_the_start(world: World) -> None:
    said = refusal(world, web(), write(world, LATER))
    assert f"(enforced from {SOON}; what is live already may stay until then, and this is new)" in said
    assert not world.store.exists()


@pytest.mark.parametrize("state", ["absent", "released"])
def test_what_was_live_once_is_new_again(world: World, state: str) -> None:
    links = {"links": {str(world.links / "key"): "private_key"}}
    world.converge([web(**links)])
    world.converge([web(state=state)])
    (world.links / "key").unlink(missing_ok=True)
    assert "this is new" in refusal(world, web(), write(world, LATER))


LIVE: list[tuple[dict[str, t.Any], dict[str, t.Any], dict[str, t.Any]]] = [
    ({"key_type": {"allow": ["ecdsa-p384"]}}, {"key": {"type": "ecdsa-p384"}}, {"key": {"type": "ecdsa-p256"}}),
    ({"lifetime": {"longest": "20d"}}, {"lifetime": "20d"}, {"lifetime": "21d"}),
    ({"profile": {"allow": ["tls_server"]}}, {"profile": "tls_server"}, {"profile": "tls_peer"}),
    (
        {"names": {"dns_names": ["*.example.org"]}},
        {"dns_names": ["a.example.org"]},
        {"dns_names": ["a.example.org", "a.example.com"]},
    ),
    ({"contact": {"like": ["me"]}}, {"contact": "me"}, {"contact": "you"}),
    ({"holders": {"services": ["shop"], "groups": ["shop"]}}, {"service": "web"}, {"service": "shop"}),
]


@pytest.mark.parametrize(("rule", "kept", "broken"), LIVE)
def test_a_live_identity_may_not_be_changed_so_that_it_breaks_a_rule_to_come(
    world: World, rule: dict[str, t.Any], kept: dict[str, t.Any], broken: dict[str, t.Any]
) -> None:
    policy = write(world, {"id": "to-come", **rule, "enforce_from": SOON})
    world.converge([web(**kept)], policy=policy)
    assert "what is live already may stay until then, and this is changed" in refusal(world, web(**broken), policy)


@pytest.mark.parametrize(("rule", "kept", "broken"), LIVE)
def test_a_live_identity_that_breaks_a_rule_to_come_stays_as_it_is(
    world: World, rule: dict[str, t.Any], kept: dict[str, t.Any], broken: dict[str, t.Any]
) -> None:
    world.converge([web(**broken)])
    policy = write(world, {"id": "to-come", **rule, "enforce_from": SOON})
    done = world.converge([web(**broken)], policy=policy)
    assert [warning.partition(",")[0] for warning in done["warnings"]] == ["policy: rule to-come"]
    assert (done["changed"], done.get("failed")) == (False, None)
    better = world.converge([web(**kept)], policy=policy)
    assert (better["warnings"], better.get("failed")) == ([], None)


OTHER: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[dict[str, t.Any]], list[dict[str, t.Any]]]] = {
    "key_type": (
        {"allow": ["ecdsa-p256"]},
        {"key_type": "ed25519"},
        [{"key_type": "rsa-2048"}],
        [{"contact": "me"}],
    ),
    "key_size": ({"rsa": 4096}, {"key_type": "rsa-3072"}, [{"key_type": "rsa-2048"}], [{"contact": "me"}]),
    "key_age": ({"longest": "90d"}, {"lifetime": 100}, [{"lifetime": 101}], [{"lifetime": 100}, {"lifetime": 91}]),
    "lifetime": (
        {"longest": "90d", "shortest": "9d"},
        {"lifetime": 100},
        [{"lifetime": 101}, {"lifetime": 8}],
        [{"lifetime": 100}, {"lifetime": 91}],
    ),
    "profile": ({"allow": ["tls_client"]}, {"profile": "tls_server"}, [{"profile": "tls_peer"}], [{"contact": "me"}]),
    "names": (
        {"dns_names": ["*.corp.example.org"], "ip_addresses": ["192.0.2.0/24"], "wildcards": False},
        {"dns_names": ("px.example.org",), "common_name": "px.example.org"},
        [
            {"dns_names": ("px.example.org", "payments.example.org")},
            {"dns_names": ("admin.example.org",)},
            {"common_name": "admin.example.org"},
            {"ip_addresses": ("203.0.113.1",)},
            {"dns_names": ("px.example.org", "*.corp.example.org")},
        ],
        [{}, {"dns_names": ("px.example.org", "a.corp.example.org")}, {"common_name": None}],
    ),
    "holders": (
        {"names": ["**.shop.example.org"], "services": ["shop", "till"], "groups": ["shop"]},
        {"dns_names": ("a.shop.example.org",), "service": "shop"},
        [{"dns_names": ("a.shop.example.org", "b.shop.example.org")}, {"service": "till"}],
        [{}, {"dns_names": ("a.shop.example.org", "b.example.org")}, {"service": None}],
    ),
    "contact": ({"like": ["*@example.org"]}, {"contact": "me"}, [{"contact": "you"}, {"contact": None}], [{}]),
    "issuer": (
        {"allow": [{"local": {"authority": "issuing"}}]},
        {"issuer": ("local", {"authority": "old"})},
        [{"issuer": ("local", {"authority": "root"})}],
        [{"contact": "me"}],
    ),
}


def made(said: dict[str, t.Any]) -> Candidate:
    """Return a candidate with a lifetime in days, and with its names in its subject."""
    names = {name: value for name, value in said.items() if name in Subject._fields}
    rest = {name: value for name, value in said.items() if name not in names}
    return Candidate("web", "web1", **{**rest, "lifetime": said.get("lifetime", 30) * 86400}, subject=Subject(**names))


@pytest.mark.parametrize("kind", OTHER)
def test_a_rule_to_come_spares_what_is_live_and_no_other_breach(kind: str) -> None:
    says, live, refused, spared = OTHER[kind]
    rule = {"id": "to-come", kind: says, "enforce_from": SOON}
    policy = Policy(compiled(json.dumps({"format": 1, "rules": [rule]}), "policy.yml"), "policy.yml", str(TODAY))

    class Ledger:
        def as_it_is(self, _candidate: Candidate) -> Candidate:
            return made(live)

        def age_of_key(self, _candidate: Candidate) -> None:
            return None

    for said in spared:
        assert len(Review(policy, [made({**live, **said})]).settle(Ledger())) == 1
    for said in refused:
        with pytest.raises(Denied, match="and this is changed"):
            Review(policy, [made({**live, **said})]).settle(Ledger())


def test_a_name_that_a_rule_to_come_forbids_is_not_added_to_another_one(world: World) -> None:
    world.converge([web(dns_names=["px.example.org"])])
    policy = write(world, {"id": "nm", "enforce_from": SOON, "names": {"dns_names": ["*.corp.example.org"]}})
    for names in (["px.example.org", "payments.example.org"], ["admin.example.org"]):
        assert "and this is changed" in refusal(world, web(dns_names=names), policy)
    kept = world.converge([web(dns_names=["px.example.org", "a.corp.example.org"])], policy=policy)
    assert (len(kept["warnings"]), kept["changed"]) == (1, True)


def test_who_signs_may_not_become_one_that_a_rule_to_come_forbids(world: World) -> None:
    authority(world.authorities, "second")
    only = {"id": "signers", "issuer": {"allow": [{"local": {"authority": "issuing"}}]}, "enforce_from": SOON}
    world.converge([web()])
    world.converge([web(name="api")], issuer=world.issuer("second"))
    policy = write(world, only)
    with pytest.raises(Denied, match=r"issuer local with authority second; .* and this is changed"):
        world.converge([web()], issuer=world.issuer("second"), policy=policy)
    kept = world.converge([web(name="api")], issuer=world.issuer("second"), policy=policy)
    assert (len(kept["warnings"]), kept["changed"]) == (1, False)
    assert world.converge([web(name="api")], policy=policy)["warnings"] == []


def test_on_its_day_a_rule_is_enforced(world: World) -> None:
    world.converge([web()])
    policy = write(world, {**KEYS, "enforce_from": str(TODAY)})
    assert refusal(world, web(), policy).endswith("(1) rule keys, web: key.type ecdsa-p256; use ecdsa-p384")


def test_check_mode_says_the_same(world: World) -> None:
    world.converge([web()])
    policy = write(world, LATER)
    assert len(world.converge([web()], check=True, policy=policy)["warnings"]) == 1
    with pytest.raises(Denied, match="this is new"):
        world.converge([web(name="api")], check=True, policy=policy)


def waiver(**said: t.Any) -> dict[str, t.Any]:
    return {"rule": "keys", "contact": "ciso@example.org", "until": SOON, **said}


def test_a_waiver_turns_a_refusal_into_a_warning_that_names_its_contact_and_end(world: World) -> None:
    policy = write(world, KEYS, waivers=[waiver(identities=["w*"], hosts=["*.example.org"])])
    assert refusal(world, web(name="api"), policy).endswith("rule keys, api: key.type ecdsa-p256; use ecdsa-p384")
    world.host = "web1.example.org"
    done = world.converge([web()], policy=policy)
    assert done["warnings"] == [
        f"policy: rule keys, web: key.type ecdsa-p256; use ecdsa-p384 (waived until {SOON} by ciso@example.org)"
    ]


@pytest.mark.parametrize("other", [{"identities": ["api"]}, {"hosts": ["web2.**"]}])
def test_a_waiver_of_another_identity_or_host_waives_nothing_here(world: World, other: dict[str, t.Any]) -> None:
    refusal(world, web(), write(world, KEYS, waivers=[waiver(**other)]))


def test_a_waiver_holds_to_the_end_of_its_last_day(world: World) -> None:
    world.converge([web()], policy=write(world, KEYS, waivers=[waiver(until=str(datetime.now(UTC).date()))]))
    said = refusal(world, web(name="api"), write(world, KEYS, waivers=[waiver(until=YESTERDAY)]))
    assert said.endswith(f"use ecdsa-p384 (the waiver of ciso@example.org ended on {YESTERDAY})")


def test_a_waiver_of_one_rule_does_not_waive_another(world: World) -> None:
    said = refusal(world, web(), write(world, KEYS, {"id": "who", "contact": {}}, waivers=[waiver()]))
    assert "(1) rule who, web: no contact" in said
    assert "keys" not in said


def test_a_live_key_that_is_too_old_is_a_warning_since_a_refusal_would_keep_it(world: World) -> None:
    world.converge([web(lifetime="20d")])
    world.converge([web(name="api")])
    rule = {"id": "age", "key_age": {"longest": "90d"}}
    past = f"{datetime.now(UTC) - timedelta(days=100):%Y-%m-%dT%H:%M:%S.000Z}"
    connection = sqlite3.connect(world.ledger)
    with connection:
        connection.execute("UPDATE generations SET intended_at = ? WHERE identity = 1", (past,))
    connection.close()
    done = world.converge([web(lifetime="20d"), web(name="api")], policy=write(world, rule))
    assert done["warnings"] == [
        "policy: rule age, web: key of 100 days, older than 90d; let it be renewed: a shorter lifetime is due sooner"
    ]
    done = world.converge([web(lifetime="1d"), web(name="api")], policy=write(world, rule))
    assert "issue" in steps(done["identities"][0])
    assert world.converge([web(lifetime="1d")], policy=write(world, rule))["warnings"] == []


@pytest.mark.parametrize(
    ("today", "longest"),
    [
        ("2020-08-31", None), ("2026-03-14", 398), ("2026-03-15", 200), ("2027-03-14", 200), ("2027-03-15", 100),
        ("2029-03-15", 47),
    ],
)
def test_a_dated_fact_holds_from_its_day(today: str, longest: int | None) -> None:
    rule = {"id": "public", "lifetime": {"longest": {"fact": "public-tls-validity"}}}
    policy = Policy(compiled(json.dumps({"format": 1, "rules": [rule]}), "policy.yml"), "policy.yml", today)

    def passes(days: int) -> bool:
        return not policy.verdicts(Candidate("web", "web1", lifetime=days * 86400))

    if longest is None:
        assert passes(36500)
    else:
        assert (passes(longest), passes(longest + 1)) == (True, False)


def test_a_policy_may_have_dates_of_its_own() -> None:
    text = "format: 1\nrules:\n- id: life\n  lifetime: {longest: {2027-01-01: 90d, 2028-01-01: 30d}}\n"
    days = {}
    for today in ("2026-12-31", "2027-01-01", "2028-01-01"):
        policy = Policy(compiled(text, "policy.yml"), "policy.yml", today)
        lives = (days for days in range(1, 400) if policy.verdicts(Candidate("web", "h", lifetime=days * 86400)))
        days[today] = next(lives, None)
    assert days == {"2026-12-31": None, "2027-01-01": 91, "2028-01-01": 31}


@pytest.mark.parametrize(
    ("said", "refuses"), [({}, True), ({"severity": "warn"}, False), ({"enforce_from": SOON}, False)]
)
def test_a_key_that_is_found_on_other_hosts_is_judged_when_it_is_found(said: dict[str, str], *, refuses: bool) -> None:
    rule = {"id": "own-keys", "shared_key": {"allow": False}, **said}
    policy = Policy(compiled(json.dumps({"format": 1, "rules": [rule]}), "policy.yml"), "policy.yml", str(TODAY))
    review = Review(policy, [Candidate("web", "web1"), Candidate("api", "web1")])
    words = "rule own-keys, web: key that web on web2 has too; adopt with replace: now, so that each gets its own"
    if refuses:
        with pytest.raises(Denied, match=words):
            review.found_shared("web", ["web on web2"])
    else:
        (warning,) = review.found_shared("web", ["web on web2"])
        assert warning.startswith(f"policy: {words}")
    assert review.found_shared("other", ["web on web2"]) == []


# issuers beside the one that signs


def verbatim(**said: t.Any) -> list[dict[str, t.Any]]:
    """Return the option `issuers` with an OpenBao that signs whatever it is asked."""
    options = {"url": "https://bao.example.org", "auth": {"token": {"token": "x"}}, "sign_verbatim": True, **said}
    return [{"openbao": options}]


def refusal_of(world: World, issuers: list[dict[str, t.Any]], policy: str | None = None) -> str:
    world.phases.clear()
    with pytest.raises(Denied) as refused:
        world.converge([web(), web(name="api")], issuers=issuers, policy=policy)
    assert world.phases == []
    return str(refused.value)


def test_an_issuer_that_signs_verbatim_needs_the_leave_also_among_the_others(world: World) -> None:
    said = refusal_of(world, verbatim())
    assert "rule sign-verbatim, web, api: issuer openbao with sign_verbatim true" in said
    assert said.endswith("(in option issuers)")
    allowed = {"openbao": {"mount": "pki", "sign_verbatim": True}}
    policy = write(world, {"id": "ours", "issuer": {"allow": [{"local": None}, allowed]}})
    assert not world.converge([web()], issuers=verbatim(), policy=policy).get("failed")
    assert "rule ours, web, api" in refusal_of(world, verbatim(mount="raw"), policy)


def test_other_issuers_that_sign_by_a_role_are_nobodys_business(world: World) -> None:
    policy = write(world, {"id": "ours", "issuer": {"allow": [{"local": None}]}})
    retired = verbatim(sign_verbatim=False, role="web")
    assert not world.converge([web()], issuers=retired, policy=policy).get("failed")


def test_a_leave_that_is_needed_from_later_on_is_a_warning_of_other_issuers(world: World) -> None:
    rule = {"id": "ours", "issuer": {"allow": [{"local": None}]}, "enforce_from": SOON}
    done = world.converge([web()], issuers=verbatim(), policy=write(world, rule))
    assert not done.get("failed")
    (warning,) = [line for line in done["warnings"] if line.startswith("policy: rule ours, web: ")]
    assert warning.endswith(f"(enforced from {SOON}; in option issuers)")
