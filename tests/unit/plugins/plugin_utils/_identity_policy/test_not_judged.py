# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What breaks a rule fails, and where a rule cannot tell, it is named: nothing is passed in silence."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_policy.lookup import tell
from ansible_collections.keystead.identity.plugins.plugin_utils._inventory import Place
from ansible_collections.keystead.identity.tests.harness import judging
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.judging import (
    Certificate,
    day,
    judged,
    moment,
    policy,
    records,
    unjudged,
)
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

OURS = {"key_type": {"allow": ["ed25519"]}}
_OIDS = x509.ExtendedKeyUsageOID


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with one identity, of ecdsa-p256."""
    made = World(tmp_path / "world")
    made.one(web(contact="me", service="shop"))
    return made


def of(result: dict[str, t.Any]) -> tuple[list[str], list[str]]:
    """Return the rules that are broken, and those that cannot tell."""
    return [one["rule"] for one in result["fails"]], unjudged(result)


def test_a_list_of_weak_keys_is_a_rule_as_others_are(world: World, tmp_path: Path) -> None:
    pem = world.certificate("web").public_bytes(judging.PEM).decode()
    key = world.query("SELECT public_id FROM generations")[0][0]
    (tmp_path / "weak.txt").write_text(f"{key} in a git repository\n")
    rules = policy(tmp_path / "p.yml", {"id": "wk", "weak_keys": {"lists": ["weak.txt"]}})
    assert of(judged(world, policy=rules)) == (["wk"], [])
    assert of(judged(None, policy=rules, certificates=[pem])) == (["wk"], [])
    assert [one["rule"] for one in judged(world, compare_with=rules)["difference"]["begins"]] == ["wk"]
    declared = {"issuer": world.issuer(), "identities": [{"name": "new", "dns_names": ["new.example.org"]}]}
    assert of(judged(None, policy=rules, declarations=declared)) == ([], ["wk"]), "its key is not made yet"
    (tmp_path / "weak.txt").write_text(f"{'a' * 64}\n")
    assert of(judged(world, policy=rules)) == ([], [])


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ({"local": {"directory": "/the/authorities"}}, ([], ["d"])),
        ({"local": {"authority": "issuing", "directory": "/the/authorities"}}, ([], ["d"])),
        ({"local": {"authority": "another", "directory": "/the/authorities"}}, ([], [])),
        ({"local": {"authority": "issuing"}}, (["d"], [])),
        ({"openbao": {"mount": "pki"}}, ([], [])),
    ],
)
def test_an_issuer_is_told_as_far_as_its_id_says_and_no_further(
    world: World, tmp_path: Path, issuer: dict[str, t.Any], expected: tuple[list[str], list[str]]
) -> None:
    rules = policy(tmp_path / "p.yml", {"id": "d", **OURS, "only": {"issuers": [issuer]}})
    assert of(judged(world, policy=rules)) == expected


def test_who_signed_is_judged_where_the_id_decides(world: World, tmp_path: Path) -> None:
    bao = {"openbao": {"url": "https://bao.example.org"}}
    rules = policy(
        tmp_path / "p.yml",
        {"id": "theirs", "issuer": {"allow": [bao]}},
        {"id": "either", "issuer": {"allow": [bao, {"local": {"authority": "issuing"}}]}},
        {"id": "where", "issuer": {"allow": [{"local": {"directory": "/the/authorities"}}]}},
    )
    assert of(judged(world, policy=rules)) == (["theirs"], ["where"])


def test_a_rule_that_is_kept_anyhow_is_not_said_to_be_open(world: World, tmp_path: Path) -> None:
    rules = policy(tmp_path / "p.yml", {"id": "dmz", "key_type": {"allow": ["ecdsa-p256"]}, "only": {"groups": ["d"]}})
    assert of(judged(world, policy=rules)) == ([], [])


def test_the_other_policy_of_a_comparison_says_what_it_cannot_tell(world: World, tmp_path: Path) -> None:
    other = policy(
        tmp_path / "p.yml",
        {"id": "dmz", **OURS, "only": {"groups": ["dmz"]}},
        {"id": "held", "holders": {"services": ["shop"], "groups": ["shop"]}},
    )
    found = judged(world, compare_with=other)["difference"]
    assert (found["totals"], unjudged(found)) == ({"begins": 0, "ends": 0, "changes": 0, "both": 0}, ["dmz", "held"])
    assert found["not_judged"][0] == {
        "rule": "dmz", "asks": ["groups"], "total": 1,
        "msg": f"rule dmz asks for groups, which nobody told of web on {world.host}",
    }  # fmt: skip


@pytest.mark.parametrize("usage", [_OIDS.CODE_SIGNING, _OIDS.ANY_EXTENDED_KEY_USAGE, None])
def test_a_certificate_with_other_usages_has_none_of_our_profiles(
    tmp_path: Path, usage: x509.ObjectIdentifier | None
) -> None:
    pem = Certificate(usages=(usage,) if usage else ()).pem
    rules = policy(
        tmp_path / "p.yml",
        {"id": "p", "profile": {"allow": ["tls_server"]}},
        {"id": "servers", "lifetime": {"longest": "1d"}, "only": {"profiles": ["tls_server"]}},
    )
    assert of(judged(None, policy=rules, certificates=[pem])) == (["p"], ["servers"])
    assert of(judged(None, policy=rules, certificates=[Certificate().pem])) == (["servers"], [])


def test_who_signs_what_is_public_decides_where_no_id_does(tmp_path: Path) -> None:
    """A certificate of 199 days on the day from which 100 are permitted."""
    pem = Certificate(issuer="R11", begins=-1, ends=198).pem
    path = records(tmp_path / "r.json", {"name": "old", "host": "h", "contact": "me", "pem": pem})
    asked = {"certificates": [pem], "records": path, "as_of": "2027-03-15"}
    said = judged(None, **asked)
    assert "public-tls-lifetime" in unjudged(said)
    assert "public-tls-lifetime" not in said["by_rule"]
    public = ["acme:https://acme-v02.api.letsencrypt.org/directory", "CN=R11"]
    said = judged(None, **asked, public_issuers=public)
    assert said["by_rule"]["public-tls-lifetime"] == 2
    assert "public-tls-lifetime" not in unjudged(said)


def test_what_a_record_does_not_say_is_named_rule_by_rule(tmp_path: Path, world: World) -> None:
    rules = policy(
        tmp_path / "p.yml",
        {"id": "keys", **OURS},
        {"id": "size", "key_size": {"rsa": 3072}},
        {"id": "lives", "lifetime": {"longest": "1d"}},
        {"id": "named", "names": {"dns_names": ["*.nothing"]}},
        {"id": "clients", "profile": {"allow": ["tls_client"]}},
        {"id": "signed", "signature": {"allow": ["sha256"]}},
        {"id": "who", "contact": {}},
    )
    path = records(tmp_path / "r.json", {"name": "old", "contact": "me", "not_after": "2027-05-01T00:00:00Z"})
    result = judged(world, policy=rules, records=path, managed=False)
    assert of(result) == ([], ["keys", "size", "lives", "named", "clients", "signed"])
    assert result["not_judged"][0]["msg"] == "rule keys asks for key.type, which nobody told of old"
    told = records(tmp_path / "r.json", {"name": "old", "not_after": moment(9), "dns_names": ["a.example.org"]})
    broken, _open = of(judged(world, policy=rules, records=told, managed=False))
    assert broken == ["named", "who"], "one name that is wrong decides, whatever the others are"


@pytest.mark.parametrize("only", [{"hosts": ["web*"]}, {"services": ["*"]}, {"identities": ["web"]}])
def test_a_certificate_by_itself_is_nobodys(tmp_path: Path, only: dict[str, t.Any]) -> None:
    rules = policy(tmp_path / "p.yml", {"id": "ours", **OURS, "only": only})
    assert of(judged(None, policy=rules, certificates=[Certificate().pem])) == ([], ["ours"])


def test_where_a_key_was_made_is_named_beside_where_it_is_kept(world: World, tmp_path: Path) -> None:
    rules = policy(
        tmp_path / "p.yml",
        {"id": "both", "custody": {"allow": ["file"], "origin": ["host"]}},
        {"id": "kept", "custody": {"allow": ["pkcs11"], "origin": ["host"]}},
    )
    assert of(judged(world, policy=rules)) == (["kept"], ["both"])


def test_a_waiver_of_which_nobody_can_tell_whether_it_is_meant_waives_nothing(tmp_path: Path) -> None:
    waiver = {"rule": "keys", "contact": "ciso", "until": day(9), "hosts": ["web1"]}
    rules = policy(tmp_path / "p.yml", {"id": "keys", **OURS}, waivers=[waiver])
    (said,) = judged(None, policy=rules, certificates=[Certificate().pem])["fails"]
    assert said["severity"] == "enforce"


def test_the_lookup_says_it_when_it_is_asked(world: World, tmp_path: Path) -> None:
    rules = policy(tmp_path / "p.yml", {"id": "dmz", **OURS, "only": {"groups": ["dmz"]}})
    given = {"as_of": None, "policy": rules, "host": None, "store": None, "declarations": None}
    place = Place(world.host)
    assert tell({"ledger": world.url}, [], {**given, "part": "msg"}, place) == [[]]
    assert tell({"ledger": world.url}, [], {**given, "part": "not_judged"}, place) == [
        [f"rule dmz asks for groups, which nobody told of web on {world.host}"]
    ]


def test_a_day_of_the_calendar_names_what_cannot_be_told_from_then_on(tmp_path: Path, world: World) -> None:
    rules = policy(tmp_path / "p.yml", {"id": "life", "lifetime": {"longest": {day(100): "10d"}}})
    known = records(tmp_path / "r.json", {"name": "old", "not_after": moment(400)})
    said = judged(world, policy=rules, records=known, managed=False, until=day(200))
    assert of(said) == ([], [])
    (entry,) = said["calendar"]
    assert (entry["fails"], unjudged(entry)) == ([], ["life"])
