# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A task becomes declarations, or is refused in words that name option, value and remedy."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Key
from ansible_collections.keystead.identity.plugins.module_utils._core.model import (
    Activation,
    Files,
    Identity,
    Link,
    Proof,
    Subject,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.publication import Publication
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._declare import Declaration, declarations
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

LOCAL = {"directory": "/srv/ca", "authority": "issuing"}
SPEC = spec(COMMON, OPTIONS)
NAME = "machine_identity"


def declare(*identities: dict[str, t.Any], **task: t.Any) -> tuple[Declaration, ...]:
    """Validate and declare a task whose issuer is local unless it says another."""
    args = {"issuer": {"local": LOCAL}, **task, "identities": [{"name": "web", **one} for one in identities]}
    return declarations(validated(args, SPEC, module=NAME))


def web(**more: t.Any) -> dict[str, t.Any]:
    """Return the smallest identity, with more options in it."""
    return {"dns_names": ["www.example.org"], **more}


def refusal(*identities: dict[str, t.Any], **task: t.Any) -> str:
    """Return why a task is refused, after the words that all refusals of an identity begin with."""
    with pytest.raises(Misconfigured) as refused:
        declare(*identities, **task)
    return str(refused.value).removeprefix(f"{NAME}: ").removeprefix("identities[web].")


def test_the_smallest_identity_has_the_defaults_of_the_core() -> None:
    (declared,) = declare(web())
    assert declared.identity == Identity(name="web", subject=Subject(dns_names=("www.example.org",)))
    assert (declared.contact, declared.service, declared.labels, declared.scope) == (None, None, {}, None)
    assert not declared.revoke_on_absent


def test_a_whole_identity_becomes_the_nouns_of_the_core() -> None:
    (declared,) = declare(
        web(
            common_name="Web",
            uris=["spiffe://example.org/web"],
            profile="tls_peer",
            key={"type": "rsa-3072", "custody": {"file": {}}},
            lifetime="10d",
            renew_before="2d",
            contact="team@example.org",
            service="shop",
            labels={"tier": 1},
            owner="root",
            group="www-data",
            mode="640",
            links={"/etc/tls/web.pem": "fullchain"},
            replace_files=True,
            activate={"command": ["nginx", "-s", "reload"], "only_if": ["pidof", "nginx"]},
            prove={"port": 443, "client_auth": True, "timeout": "10s", "when": "always"},
            keep_generations=2,
            generation="previous",
            revoke_on_absent=True,
        ),
        scope="shop",
    )
    assert declared.identity == Identity(
        name="web",
        subject=Subject(common_name="Web", dns_names=("www.example.org",), uris=("spiffe://example.org/web",)),
        profile="tls_peer",
        key=Key(type="rsa-3072"),
        lifetime=864000,
        renew_before="172800",
        files=Files("root", "www-data", "0640", (Link("/etc/tls/web.pem", "fullchain"),), replace_files=True),
        activate=Activation(command=("nginx", "-s", "reload"), only_if=("pidof", "nginx")),
        prove=Proof(port=443, client_auth=True, timeout=10.0, when="always"),
        keep_generations=2,
        generation="previous",
    )
    assert (declared.contact, declared.service, declared.scope) == ("team@example.org", "shop", "shop")
    assert declared.labels == {"tier": "1"}
    assert declared.revoke_on_absent


@pytest.mark.parametrize("state", ["absent", "released"])
def test_a_leaving_identity_needs_its_name_only(state: str) -> None:
    (declared,) = declare({"state": state}, issuer=None)
    assert (declared.identity.name, declared.identity.state, declared.issuer) == ("web", state, None)


def test_an_issuer_of_an_identity_replaces_and_never_merges() -> None:
    other = {"directory": "/srv/other", "authority": "other", "timeout": "2m", "accept_new_root": ":".join(["AB"] * 32)}
    first, second = declare(web(issuer={"local": other}), web(name="two"))
    assert first.issuer == {
        "local": {
            **other, "passphrase": None, "passphrase_file": None, "custody": None, "roots": None, "timeout": 120,
            "accept_new_root": "ab" * 32,
        }
    }  # fmt: skip
    assert second.issuer is not None
    assert second.issuer["local"]["timeout"] == 30
    assert second.issuer["local"]["authority"] == "issuing"


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        ({"dns_names": ["foo_bar.example.org"]}, "dns_names: 'foo_bar.example.org' is not a DNS name: an underscore"),
        ({}, "dns_names: profile tls_server needs a name; write dns_names, ip_addresses, uris or email_addresses"),
        ({"common_name": "only"}, "dns_names: profile tls_server needs a name"),
        (web(lifetime="0d"), "lifetime: '0d' is no possible lifetime; write one from 60s"),
        (web(lifetime=30), "lifetime: '30' is not a duration; write a number and s, m, h or d"),
        (web(lifetime="10d", renew_before="10d"), "renew_before: '10d' leaves no time in a lifetime of 10d"),
        (web(generation="previous"), "generation: previous was not kept; write keep_generations: 1"),
        (web(keep_generations=-1), "keep_generations: -1 is not possible; write 0 to 100"),
        (web(contact="a\nb"), "contact: 'a\\nb' is not 1 to 255 printable characters; write a line"),
        (web(labels={"a": ["b"]}), "labels: 'a' needs a short text on one line"),
        (web(issuer={"local": {**LOCAL, "timeout": "0s"}}), "issuer.local.timeout: '0s' is no time at all"),
        (web(issuer={"local": {**LOCAL, "timeout": "soon"}}), "issuer.local.timeout: 'soon' is not a duration"),
        (
            web(issuer={"local": {**LOCAL, "accept_new_root": "ab"}}),
            "issuer.local.accept_new_root: 'ab' is not a SHA-256 fingerprint; write its 64 hexadecimal digits",
        ),
    ],
)
def test_what_an_identity_cannot_mean_is_refused(identity: dict[str, t.Any], says: str) -> None:
    assert refusal(identity).startswith(says)


@pytest.mark.parametrize(
    "name", ["", "Web", "-web", ".web", "a..b", "a/b", "../web", "current", "next", "pending", "w\n", "wéb", "a" * 64]
)
def test_a_name_that_is_no_safe_directory_is_refused(name: str) -> None:
    assert "cannot be a directory of the store; write up to 63 of a-z, 0-9" in refusal(web(name=name))


@pytest.mark.parametrize("name", ["web", "0", "web-1.example_org", "a" * 63])
def test_a_name_that_is_a_safe_directory_passes(name: str) -> None:
    assert declare(web(name=name))[0].identity.name == name


def test_nobody_who_signs_is_refused() -> None:
    assert (
        refusal(web(), issuer=None)
        == "issuer: nobody is named; write issuer: {local: {directory: ..., authority: ...}}"
    )


def test_a_name_that_stands_twice_is_refused() -> None:
    assert refusal(web(), web()) == "name: it stands there twice; write each identity once"


def test_a_link_of_two_identities_is_refused() -> None:
    links = {"/etc/tls.pem": "combined"}
    assert refusal(web(name="one", links=links), web(name="two", links=links)) == (
        "identities[two].links: '/etc/tls.pem' is a path of one too; write another one"
    )


def test_a_link_may_move_from_an_identity_that_leaves() -> None:
    links = {"/etc/tls.pem": "combined"}
    declared = declare(web(name="one", links=links, state="absent"), web(name="two", links=links))
    assert declared[1].identity.files.links == (Link("/etc/tls.pem", "combined"),)


@pytest.mark.parametrize(
    ("identities", "task", "says"),
    [
        ([web()], {"purge": True}, "option purge: it removes what the same scope declared earlier; write scope"),
        ([], {"purge": True, "scope": "shop"}, "option purge: with no identities it would remove all"),
        ([web()], {"wait": "long"}, "option wait: 'long' is not a duration; write a number and s, m, h or d"),
        (
            [web()],
            {"issuers": [{"local": {**LOCAL, "timeout": "1"}}]},
            "option issuer.local.timeout: '1' is not a duration",
        ),
        ([web()], {"scope": ""}, "option scope: '' is not 1 to 255 printable characters"),
        (
            [web()],
            {"store": "store"},
            "option store: 'store' is not an absolute path in its shortest form; write '/store'",
        ),
        (
            [web()],
            {"store": "/a/../b/"},
            "option store: '/a/../b/' is not an absolute path in its shortest form; write '/b'",
        ),
        ([web()], {"store": "/"}, "option store: '/' cannot be a store; write a directory of its own"),
    ],
)
def test_what_a_task_cannot_mean_is_refused(identities: list[t.Any], task: dict[str, t.Any], says: str) -> None:
    assert refusal(*identities, **task).startswith(says)


def test_an_empty_list_without_purge_declares_nothing() -> None:
    assert declare() == ()


def test_five_hundred_identities_cost_less_than_a_tenth_of_a_second() -> None:
    many = [
        web(name=f"web{n}", dns_names=[f"w{n}.example.org"], links={f"/etc/{n}.pem": "combined"}, prove={"port": 443})
        for n in range(500)
    ]
    started = time.process_time()
    assert len(declare(*many)) == 500
    assert time.process_time() - started < 0.1


ONE_OF = "publish[0]: exactly one of pkcs12, pem_bundle, openbao_kv, aws_secrets_manager, aws_acm is needed, found "
P12, PEM = {"path": "/etc/web.p12", "password": "Canary"}, {"path": "/etc/web.pem"}


def test_copies_have_the_defaults_of_their_identity_and_no_password_among_what_is_shown() -> None:
    publish = [{"pkcs12": P12}, {"pem_bundle": PEM, "parts": ["chain"]}]
    (declared,) = declare(web(owner="tls", mode="0640", publish=publish))
    assert declared.identity.publish == (
        Publication("/etc/web.p12", "pkcs12", owner="tls", mode="0640"),
        Publication("/etc/web.pem", "pem_bundle", ("chain",), owner="tls", mode="0644"),
    )
    assert declared.passwords == {"/etc/web.p12": "Canary"}


def test_parts_may_stand_inside_or_beside() -> None:
    parts = ["fullchain", "private_key"]
    inside, beside = (
        declare(web(publish=[one]))[0].identity.publish
        for one in ({"pem_bundle": {**PEM, "parts": parts}}, {"pem_bundle": PEM, "parts": parts})
    )
    assert inside == beside == (Publication("/etc/web.pem", "pem_bundle", tuple(parts)),)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({}, ONE_OF + "none"),
        ({"pkcs12": P12, "pem_bundle": PEM}, ONE_OF + "pkcs12 and pem_bundle"),
        ({"pem_bundle": {"path": "web.pem"}}, ("publish[0].pem_bundle.path: 'web.pem' is not an absolute path in its "
         "shortest form; write '/web.pem'")),
        ({"pem_bundle": {"path": "/var/lib/keystead/identities/web/x"}}, ("publish[0].pem_bundle.path: "
         "'/var/lib/keystead/identities/web/x' is in the way of the store '/var/lib/keystead/identities'; write a path "
         "elsewhere")),
        ({"pem_bundle": {**PEM, "mode": "0644"}}, ('publish[0].pem_bundle.mode: "0644" lets every user of the host at '
         'the private key; write "0600" or "0640"')),
        ({"pem_bundle": {**PEM, "mode": "0664"}, "parts": ["chain"]}, ('publish[0].pem_bundle.mode: "0664" is no mode '
         "for such a file; write one of 0400, 0440, 0600, 0640, 0444, 0644")),
        ({"pem_bundle": {**PEM, "parts": ["chain"]}, "parts": ["chain"]}, ("publish[0].pem_bundle.parts: they stand "
         "beside pem_bundle as well; write them once")),
        ({"pem_bundle": PEM, "parts": ["combined"]}, ("publish[0].pem_bundle.parts: 'combined' is no part that "
         "goes there; write some of private_key, certificate, chain, fullchain")),
        ({"pem_bundle": PEM, "parts": ["chain", "chain"]}, ("publish[0].pem_bundle.parts: chain stands there twice; "
         "write it once")),
        ({"pem_bundle": PEM, "parts": ["fullchain", "chain"]}, ("publish[0].pem_bundle.parts: fullchain is certificate "
         "and chain; write it, or the two")),
        ({"pem_bundle": PEM, "parts": []}, ("publish[0].pem_bundle.parts: there are none; write some of private_key, "
         "certificate, chain, fullchain, or leave it out")),
        ({"pkcs12": P12, "parts": ["certificate"]}, ("publish[0].pkcs12.parts: it needs private_key and certificate; "
         "write pem_bundle where one is not")),
        ({"pkcs12": {"path": "/etc/web.p12"}}, ("publish[0].pkcs12: exactly one of password and password_file is "
         "needed, found none")),
        ({"pkcs12": {**P12, "password_file": "/x"}}, ("publish[0].pkcs12: exactly one of password and password_file is "
         "needed, found password and password_file")),
        ({"pkcs12": {**P12, "password": ""}}, ("publish[0].pkcs12.password: it is not 1 to 255 printable characters; "
         "write another one")),
        ({"pkcs12": {**P12, "password": "Canary\n"}}, ("publish[0].pkcs12.password: it is not 1 to 255 printable "
         "characters; write another one")),
        ({"pkcs12": {"path": "/etc/web.p12", "password_file": "Canary"}}, ("publish[0].pkcs12.password_file: it is not "
         "an absolute path in its shortest form; write one of the host")),
    ],
)  # fmt: skip
def test_a_copy_that_cannot_be_is_refused(entry: dict[str, t.Any], says: str) -> None:
    assert refusal(web(publish=[entry])) == says


def test_a_path_is_a_link_or_a_copy_of_one_identity() -> None:
    assert refusal(web(links={"/etc/web.pem": "combined"}, publish=[{"pem_bundle": PEM}])) == (
        "publish: '/etc/web.pem' is a path of web too; write another one"
    )
