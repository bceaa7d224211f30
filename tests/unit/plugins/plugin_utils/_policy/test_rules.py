# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Each rule alone refuses what it is about, with nobody asked, and lets the nearest allowed declaration through."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.candidate import Candidate
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.compile import compiled
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.connection import Reached
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.policy import Policy
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.review import Review
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.rules import RULES
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.signer import normal
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

Said = dict[str, t.Any]
UNCHECKED = Reached("ssh", authenticated=False, why_not="host_key_checking is off")


class Case(t.NamedTuple):
    """A rule, what it refuses and with which words, and what differs from that by as little as possible and passes."""

    rule: Said
    refused: Said
    words: str
    allowed: Said
    of_world: t.Mapping[str, t.Any] = {}
    allowed_world: t.Mapping[str, t.Any] = {}


TASKS: dict[str, Case] = {
    "key type": Case(
        {"key_type": {"allow": ["ecdsa-p256", "rsa-3072"]}},
        {"key": {"type": "rsa-2048"}},
        "key.type rsa-2048; use one of ecdsa-p256, rsa-3072",
        {"key": {"type": "rsa-3072"}},
    ),
    "size of an RSA key": Case(
        {"key_size": {"rsa": 3072}},
        {"key": {"type": "rsa-2048"}},
        "key.type rsa-2048; use one of rsa with at least 3072",
        {"key": {"type": "rsa-3072"}},
    ),
    "size of a curve": Case(
        {"key_size": {"ecdsa": 384}},
        {"key": {"type": "ecdsa-p256"}},
        "key.type ecdsa-p256; use one of ecdsa with at least 384",
        {"key": {"type": "ecdsa-p384"}},
    ),
    "size of an ML-DSA key": Case(
        {"key_size": {"ml_dsa": 87}},
        {"key": {"type": "ml-dsa-65"}},
        "key.type ml-dsa-65; use one of ml-dsa with at least 87",
        {"key": {"type": "ml-dsa-87"}},
    ),
    "key age": Case(
        {"key_age": {"longest": "90d"}, "only": {"key_types": ["ecdsa-p256"], "custody": ["file"]}},
        {"lifetime": "91d"},
        "lifetime 91d, for which its key would be used; declare at most 90d",
        {"lifetime": "90d"},
    ),
    "key age of another type": Case(
        {"key_age": {"longest": "90d"}, "only": {"key_types": ["rsa-2048", "ecdsa-p256"]}},
        {"lifetime": "91d"},
        "declare at most 90d",
        {"lifetime": "91d", "key": {"type": "ed25519"}},
    ),
    "longest life": Case(
        {"lifetime": {"longest": "47d"}}, {"lifetime": "48d"}, "lifetime 48d; declare at most 47d", {"lifetime": "47d"}
    ),
    "shortest life": Case(
        {"lifetime": {"shortest": "7d"}}, {"lifetime": "6d"}, "lifetime 6d; declare at least 7d", {"lifetime": "7d"}
    ),
    "profile": Case(
        {"profile": {"allow": ["tls_server"]}},
        {"profile": "tls_peer"},
        "profile tls_peer; use tls_server",
        {"profile": "tls_server"},
    ),
    "DNS names": Case(
        {"names": {"dns_names": ["*.example.org"]}},
        {"dns_names": ["web.example.org", "web.shop.example.org"]},
        "dns_names web.shop.example.org; use a name that the policy permits",
        {"dns_names": ["web.example.org", "shop.example.org"]},
    ),
    "DNS names in the common name": Case(
        {"names": {"dns_names": ["*.example.org"]}},
        {"common_name": "www.example.com"},
        "common_name www.example.com; leave it out",
        {"common_name": "our shop"},
    ),
    "DNS names of any depth": Case(
        {"names": {"dns_names": ["**.example.org"]}},
        {"dns_names": ["web.example.org.evil.com"]},
        "dns_names web.example.org.evil.com",
        {"dns_names": ["a.web.example.org"]},
    ),
    "no wildcards": Case(
        {"names": {"wildcards": False}},
        {"dns_names": ["*.example.org"]},
        "dns_names *.example.org; name each host",
        {"dns_names": ["www.example.org"]},
    ),
    "forbidden names": Case(
        {"names": {"forbid": ["vpn.example.org"]}},
        {"dns_names": ["vpn.example.org"]},
        "name vpn.example.org; use another name",
        {"dns_names": ["vpn2.example.org"]},
    ),
    "forbidden names behind a wildcard": Case(
        {"names": {"forbid": ["VPN.example.org"]}},
        {"dns_names": ["*.example.org"]},
        "name *.example.org; use another name",
        {"dns_names": ["*.www.example.org"]},
    ),
    "forbidden names in Unicode": Case(
        {"names": {"forbid": ["bücher.example.org"]}},
        {"dns_names": ["BÜCHER.example.org"]},
        "name xn--bcher-kva.example.org",
        {"dns_names": ["buecher.example.org"]},
    ),
    "forbidden names in Unicode as a common name": Case(
        {"names": {"forbid": ["*.bücher.example"]}},
        {"common_name": "a.bücher.example."},
        "name a.bücher.example.",
        {"common_name": "a.bucher.example."},
    ),
    "permitted names in Unicode": Case(
        {"names": {"dns_names": ["*.Bücher.example"]}},
        {"dns_names": ["a.bucher.example"]},
        "dns_names a.bucher.example",
        {"dns_names": ["a.bücher.example"]},
    ),
    "forbidden addresses": Case(
        {"names": {"forbid": ["192.0.2.1*", "2001:DB8:0::1"]}},
        {"ip_addresses": ["2001:db8::1"]},
        "name 2001:db8::1",
        {"ip_addresses": ["2001:db8::2", "192.0.2.20"]},
    ),
    "an address of a group": Case(
        {"holders": {"names": ["192.0.2.10"], "groups": ["shop"]}},
        {"ip_addresses": ["192.0.2.10"]},
        "name 192.0.2.10 on host",
        {"ip_addresses": ["192.0.2.11"]},
    ),
    "forbidden names of any beginning behind a wildcard": Case(
        {"names": {"forbid": ["**pay.example.org"]}},
        {"dns_names": ["*.example.org"]},
        "name *.example.org",
        {"dns_names": ["*.org.example.org"]},
    ),
    "forbidden names of any end behind a wildcard": Case(
        {"names": {"forbid": ["pay**.org"]}},
        {"dns_names": ["*.example.org"]},
        "name *.example.org",
        {"dns_names": ["*.example.com", "a.example.org"]},
    ),
    "forbidden names of any depth behind a wildcard": Case(
        {"names": {"forbid": ["**.shop.example.org"]}},
        {"dns_names": ["*.shop.example.org"]},
        "name *.shop.example.org",
        {"dns_names": ["*.example.org"]},
    ),
    "forbidden mailboxes": Case(
        {"names": {"forbid": ["**@bücher.example"]}},
        {"email_addresses": ["a.b@Bücher.example"]},
        "name a.b@xn--bcher-kva.example",
        {"email_addresses": ["a.b@bucher.example"], "dns_names": ["*.bucher.example"]},
    ),
    "forbidden common names": Case(
        {"names": {"forbid": ["root"]}}, {"common_name": "Root"}, "name Root", {"common_name": "roots"}
    ),
    "common names": Case(
        {"names": {"common_name": ["*.example.org"]}},
        {"common_name": "administrator"},
        "common_name administrator; leave it out",
        {"common_name": "a.example.org"},
    ),
    "addresses": Case(
        {"names": {"ip_addresses": ["192.0.2.0/25", "2001:db8::/32"]}},
        {"ip_addresses": ["192.0.2.128"]},
        "ip_addresses 192.0.2.128; use an address in 192.0.2.0/25, 2001:db8::/32",
        {"ip_addresses": ["192.0.2.127", "2001:db8::1"]},
    ),
    "URIs": Case(
        {"names": {"uris": ["spiffe://example.org/shop/*"]}},
        {"uris": ["spiffe://example.org/shop/a/b"]},
        "uris spiffe://example.org/shop/a/b",
        {"uris": ["spiffe://example.org/shop/a"]},
    ),
    "mailboxes": Case(
        {"names": {"email_addresses": ["**@example.org"]}},
        {"email_addresses": ["a@example.com"]},
        "email_addresses a@example.com",
        {"email_addresses": ["a.b@example.org"]},
    ),
    "groups that hold names": Case(
        {"holders": {"names": ["*.shop.example.org"], "groups": ["shop", "staging"]}},
        {"dns_names": ["www.shop.example.org"]},
        "name www.shop.example.org on host web1.example.org; put the host into group shop, staging",
        {"dns_names": ["www.shop.example.org"]},
        {"groups": ("web",)},
        {"groups": ("web", "shop")},
    ),
    "groups that hold names behind a wildcard": Case(
        {"holders": {"names": ["pay.example.org"], "groups": ["shop"]}},
        {"dns_names": ["*.example.org"]},
        "name *.example.org on host web1.example.org",
        {"dns_names": ["*.www.example.org"]},
    ),
    "groups that hold a service": Case(
        {"holders": {"services": ["shop"], "groups": ["shop"]}},
        {"service": "shop"},
        "service shop on host web1.example.org; put the host into group shop",
        {"service": "shops"},
    ),
    "contact": Case({"contact": {}}, {}, "no contact; write contact", {"contact": "anybody"}),
    "contact of ours": Case(
        {"contact": {"like": ["**@example.org"]}},
        {"contact": "me@example.com"},
        "contact me@example.com; write one that the policy permits",
        {"contact": "me@example.org"},
    ),
    "issuer": Case(
        {"issuer": {"allow": [{"openbao": {}}, {"local": {"authority": "issuing"}}]}},
        {"issuer": {"local": {"directory": "ROOT/authorities", "authority": "other"}}},
        "issuer local with authority other; use a permitted one: openbao or local with authority issuing",
        {},
    ),
    "issuer by its label": Case(
        {"issuer": {"allow": [{"est": {"url": "https://EST.example.org", "label": "server"}}, {"local": None}]}},
        {
            "issuer": {
                "est": {
                    "url": "https://est.example.org/.well-known/est/",
                    "label": "client",
                    "auth": {"basic": {"username": "a", "password": "b"}},
                    "roots": ["ROOT/root.pem"],
                }
            }
        },
        "issuer est with url https://est.example.org, label client; "
        "use a permitted one: est with url https://est.example.org, label server or local",
        {},
    ),
    "issuer that signs verbatim": Case(
        {"issuer": {"allow": [{"openbao": {"mount": "pki", "role": "web"}}, {"local": None}]}},
        {
            "issuer": {
                "openbao": {
                    "url": "https://bao.example.org",
                    "mount": "/pki/",
                    "role": "web",
                    "sign_verbatim": True,
                    "auth": {"token": {"token": "x"}},
                }
            }
        },
        "issuer openbao with sign_verbatim true, mount pki, role web; "
        "use a permitted one: openbao with mount pki, role web or local",
        {},
    ),
    "parts that are linked": Case(
        {"delivery": {"links": ["fullchain", "certificate"]}},
        {"links": {"ROOT/links/a": "private_key"}},
        "links to private_key; use one of fullchain, certificate",
        {"links": {"ROOT/links/a": "fullchain"}},
    ),
    "activation": Case(
        {"delivery": {"activate": ["unit", "none"]}},
        {"activate": {"command": ["true"]}},
        "activate command; use one of unit, none",
        {},
    ),
    "no activation": Case(
        {"delivery": {"activate": ["command"]}}, {}, "activate none; use command", {"activate": {"command": ["true"]}}
    ),
    "proof": Case({"delivery": {"prove": True}}, {}, "no prove; write prove", {"prove": {"command": ["true"]}}),
    "unauthenticated connection": Case(
        {"connection": {"authenticated": True}},
        {},
        "connection ssh: host_key_checking is off; turn it on",
        {},
        {"reached": UNCHECKED},
        {"reached": Reached("ssh")},
    ),
    "transports": Case(
        {"connection": {"transports": ["ssh"]}}, {}, "connection local; use ssh", {}, {}, {"reached": Reached("ssh")}
    ),
}
BASE: Said = {"lifetime": 86400, "subject": Subject(dns_names=("a.example.org",)), "issuer": ("local", {})}
BAO = {"url": "https://BAO1.example.org:443/", "mount": "pki/a/", "namespace": None, "timeout": 30}
CANDIDATES: dict[str, Case] = {
    "reuse": Case({"key_reuse": {"allow": False}}, {"reuse": True}, "key.reuse true; leave it out", {"reuse": False}),
    "a reused key that is too old": Case(
        {"key_age": {"longest": "30d"}},
        {"reuse": True, "key_age": 31 * 86400},
        "key of 31 days, older than 30d; declare key.reuse false",
        {"reuse": True, "key_age": 30 * 86400},
    ),
    "shared keys": Case(
        {"shared_key": {"allow": False}},
        {"shared_with": ("web on web2",)},
        "key that web on web2 has too; adopt with replace: now",
        {"shared_with": ()},
    ),
    "emergencies": Case(
        {"emergency_revocation": {"allow": False}},
        {"emergency": True},
        "emergency true; leave it out",
        {"emergency": False},
    ),
    "extractable keys": Case(
        {"extractable_keys": {"allow": False}},
        {"kind": "key", "extractable": True},
        "extractable true; leave it out",
        {"kind": "key", "extractable": False},
    ),
    "type of a bare key": Case(
        {"key_type": {"allow": ["aes-256"]}},
        {"kind": "key", "key_type": "ecdsa-p521"},
        "key.type ecdsa-p521; use aes-256",
        {"kind": "key", "key_type": "aes-256"},
    ),
    "size of a bare key": Case(
        {"key_size": {"rsa": 3072}},
        {"kind": "key", "key_type": "rsa-2048"},
        "key.type rsa-2048; use one of rsa with at least 3072",
        {"kind": "key", "key_type": "rsa-3072"},
    ),
    "a bare key that a rule of another kind names": Case(
        {"custody": {"allow": ["file"]}, "only": {"kinds": ["key"]}},
        {"kind": "key", "custody": "pkcs11"},
        "key.custody pkcs11; use file",
        {"custody": "pkcs11"},
    ),
    "a rule about identities, of which a bare key is none": Case(
        {"contact": {}}, {}, "no contact", {"kind": "key"},
    ),
    "the hash of a signature that is there": Case(
        {"signature": {"allow": ["sha256", "intrinsic"]}},
        {"signature": "sha1"},
        "a signature of sha1; have it signed anew: use one of sha256, intrinsic",
        {"signature": "intrinsic"},
    ),
    "a signature that is to be made": Case(
        {"signature": {"allow": []}}, {"signature": "sha256"}, "a signature of sha256", {"signature": None},
    ),
    "a size of RSA that no policy can name": Case(
        {"key_type": {"allow": ["rsa-3072"]}},
        {"key_type": "rsa-8192"},
        "key.type rsa-8192; use rsa-3072",
        {"key_type": "rsa-3200"},
    ),
    "custody": Case(
        {"custody": {"allow": ["pkcs11", "aws_kms"]}},
        {"custody": "file"},
        "key.custody file; use one of pkcs11, aws_kms",
        {"custody": "pkcs11"},
    ),
    "origin": Case(
        {"custody": {"origin": ["host"]}},
        {"origin": "controller"},
        "key.origin controller; use host",
        {"origin": "host"},
    ),
    "publishers": Case(
        {"delivery": {"publish": ["pkcs12"]}},
        {"publish": (("aws_acm", ("certificate",)),)},
        "publish aws_acm; use pkcs12",
        {"publish": (("pkcs12", ("certificate",)),)},
    ),
    "published private keys": Case(
        {"delivery": {"publish_private_key": ["pkcs12"]}},
        {"publish": (("aws_acm", ("certificate", "private_key")),)},
        "publish aws_acm with private_key; leave private_key out of its parts",
        {"publish": (("aws_acm", ("certificate",)), ("pkcs12", ("private_key",)))},
    ),
    "an OpenBao that signs verbatim": Case(
        {"issuer": {"allow": [{"openbao": {"mount": "pki", "role": "web"}}]}},
        {"issuer": ("openbao", {"mount": "pki", "role": "web", "sign_verbatim": True})},
        "issuer openbao with sign_verbatim true, mount pki, role web; "
        "use a permitted one: openbao with mount pki, role web",
        {"issuer": ("openbao", {"mount": "pki", "role": "web", "sign_verbatim": False})},
    ),
    "an OpenBao that signs verbatim where any may sign": Case(
        {"issuer": {"allow": [{"openbao": None}, {"openbao": {"mount": "raw", "sign_verbatim": True}}]}},
        {"issuer": ("openbao", {"mount": "pki", "sign_verbatim": True})},
        "use a permitted one: openbao or openbao with sign_verbatim true, mount raw",
        {"issuer": ("openbao", {"mount": "raw", "sign_verbatim": True})},
    ),
    "a rule about an OpenBao that signs verbatim": Case(
        {"contact": {}, "only": {"issuers": [{"openbao": {"mount": "pki"}}]}},
        {"issuer": ("openbao", {"mount": "pki", "sign_verbatim": True})},
        "no contact",
        {"issuer": ("openbao", {"mount": "other", "sign_verbatim": True})},
    ),
    "no namespace and no role": Case(
        {"issuer": {"allow": [{"openbao": {"namespace": "", "role": "", "issuer_ref": "a?"}}]}},
        {"issuer": ("openbao", {"namespace": "team", "role": None, "issuer_ref": "a?"})},
        "openbao with namespace team, role none, issuer_ref a?; "
        "use a permitted one: openbao with namespace none, role none, issuer_ref a?",
        {"issuer": ("openbao", {"namespace": "", "role": None, "issuer_ref": "a?"})},
    ),
    "the normal form of a server": Case(
        {"issuer": {"allow": [{"openbao": {"url": "HTTPS://Bao*.example.org:443/", "mount": "/pki/**/"}}]}},
        {"issuer": normal("openbao", {**BAO, "url": "https://bao.example.com"})},
        "issuer openbao with url https://bao.example.com, mount pki/a; "
        "use a permitted one: openbao with url https://bao*.example.org, mount pki/**",
        {"issuer": normal("openbao", BAO)},
    ),
    "the directory of an authority": Case(
        {"issuer": {"allow": [{"local": {"directory": "/etc/ca/*"}}]}},
        {"issuer": normal("local", {"directory": "/etc/ca/../x", "authority": "a"})},
        "local with directory /etc/x; use a permitted one: local with directory /etc/ca/*",
        {"issuer": normal("local", {"directory": "/etc//ca/web/", "authority": "a"})},
    ),
    "backend of the issuer": Case(
        {"issuer": {"allow": [{"openbao": {"url": "https://bao.example.org", "mount": "pki*"}}]}},
        {"issuer": ("openbao", {"url": "https://bao.example.org", "mount": "root"})},
        "issuer openbao with url https://bao.example.org, mount root",
        {"issuer": ("openbao", {"url": "https://bao.example.org", "mount": "pki2"})},
    ),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Count the issuers that are made, and keep compiled policies apart from the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made: list[str] = []

    class Counted(LocalIssuer):
        def __init__(self, options: t.Mapping[str, t.Any]) -> None:
            made.append(options["authority"])
            super().__init__(options)

    monkeypatch.setitem(ISSUERS, "local", Counted)
    return made


def policy_of(rule: Said, **more: t.Any) -> str:
    return json.dumps({"format": 1, "rules": [{"id": "tested", **rule}], **more})


def placed(said: Said, root: Path) -> Said:
    """Return a declaration with the directory of the test in its paths."""
    return t.cast("Said", json.loads(json.dumps(said).replace("ROOT/", f"{root}/")))


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("name", TASKS)
def test_the_rule_alone_refuses_and_nobody_is_asked(
    tmp_path: Path, asked: list[str], name: str, *, check: bool
) -> None:
    case = TASKS[name]
    world = World(tmp_path / "world", **case.of_world)
    policy = tmp_path / "policy.yml"
    policy.write_text(policy_of(case.rule), encoding="utf-8")
    before = world.snapshot()
    with pytest.raises(Denied) as refused:
        world.converge([web(**placed(case.refused, world.directory))], check=check, policy=str(policy))
    assert f"policy: {policy} refuses this task: (1) rule tested, web: " in str(refused.value)
    assert case.words in str(refused.value)
    assert (world.phases, asked, world.ledger.exists()) == ([], [], False)
    assert world.snapshot() == before


@pytest.mark.parametrize("name", TASKS)
def test_the_nearest_allowed_declaration_passes(tmp_path: Path, asked: list[str], name: str) -> None:
    case = TASKS[name]
    world = World(tmp_path / "world", **(case.allowed_world or case.of_world))
    policy = tmp_path / "policy.yml"
    policy.write_text(policy_of(case.rule), encoding="utf-8")
    done = world.settled([web(**placed(case.allowed, world.directory))], policy=str(policy))
    assert (done["changed"], done["warnings"]) == (True, [])
    assert asked


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_rule_about_what_comes_later_refuses_and_lets_its_neighbour_through(name: str) -> None:
    case = CANDIDATES[name]
    policy = Policy(compiled(policy_of(case.rule), "policy.yml"), "policy.yml", "2026-11-22")
    with pytest.raises(Denied) as refused:
        Review(policy, [Candidate("web", "web1", **{**BASE, **case.refused})])
    assert case.words in str(refused.value)
    assert Review(policy, [Candidate("web", "web1", **{**BASE, **case.allowed})])


def test_every_rule_has_its_tests() -> None:
    cases = (*TASKS.values(), *CANDIDATES.values())
    assert {name for case in cases for name in case.rule} - {"only"} == set(RULES) - {"weak_keys"}


def test_a_key_on_a_list_is_refused_where_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "weak.txt").write_text(f"{'a' * 64}\n", encoding="ascii")
    body = compiled(policy_of({"weak_keys": {"lists": ["weak.txt"]}}), "policy.yml")
    policy = Policy(body, str(tmp_path / "policy.yml"), "2026-11-22")
    keys = {spki: policy.verdicts(Candidate("web", "web1", spki=spki)) for spki in ("a" * 64, "b" * 64, None)}
    assert [one.value for one in keys["a" * 64]] == [f"key {'a' * 64}, which is known to be weak"]
    assert keys["b" * 64] == keys[None] == []


def test_what_goes_away_is_not_judged(tmp_path: Path, asked: list[str]) -> None:
    world, policy = World(tmp_path / "world"), tmp_path / "policy.yml"
    links = {str(world.links / "key"): "private_key"}
    world.converge([web(), web(name="api", links=links)])
    policy.write_text(policy_of({"contact": {}}), encoding="utf-8")
    gone = [web(state="absent"), web(name="api", state="released")]
    done = world.converge(gone, policy=str(policy))
    assert (done.get("msg"), done["changed"]) == (None, True)
    assert asked


def test_one_message_names_every_finding_and_says_once_what_many_have_in_common(
    tmp_path: Path, asked: list[str]
) -> None:
    world, policy = World(tmp_path / "world"), tmp_path / "policy.yml"
    rules = [
        {"id": "who", "contact": {}},
        {"id": "keys", "key_type": {"allow": ["ed25519"]}, "because": "see the handbook"},
    ]
    policy.write_text(json.dumps({"format": 1, "rules": rules}), encoding="utf-8")
    many = [web(name=f"n{number}") for number in range(10)]
    with pytest.raises(Denied) as refused:
        world.converge([*many, web(contact="me", key={"type": "rsa-2048"})], policy=str(policy))
    names = "n0, n1, n2, n3, n4, n5, n6, n7 and 2 more"
    assert str(refused.value) == (
        f"policy: {policy} refuses this task: "
        f"(1) rule who, {names}: no contact; write contact: and who answers for it "
        f"(2) rule keys, {names}: key.type ecdsa-p256; use ed25519 (see the handbook) "
        "(3) rule keys, web: key.type rsa-2048; use ed25519 (see the handbook)"
    )
    assert asked == []


def test_a_warning_does_not_hold_a_task_up(tmp_path: Path, asked: list[str]) -> None:
    world, policy = World(tmp_path / "world"), tmp_path / "policy.yml"
    policy.write_text(policy_of({"contact": {}, "severity": "warn"}), encoding="utf-8")
    done = world.converge([web()], policy=str(policy))
    assert done["warnings"] == ["policy: rule tested, web: no contact; write contact: and who answers for it"]
    assert (done["changed"], asked) == (True, ["issuing"])
