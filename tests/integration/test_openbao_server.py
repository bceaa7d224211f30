# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an OpenBao may be set up to do, and what of that a user is told: against a real one, without Ansible."""

from __future__ import annotations

import contextlib
import re
import textwrap
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    Denied,
    KeysteadError,
    Misconfigured,
    Unavailable,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, Revoked
from ansible_collections.keystead.identity.plugins.plugin_utils._answer import accepted
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.issuers import Made, der, refusal, settled

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]
Options = dict[str, t.Any]


@pytest.fixture(scope="module")
def pki(openbao: Server) -> make.Pki:
    """One PKI for all of these: each that changes it has roles of its own."""
    return make.pki(openbao)


def issuer(pki: make.Pki, auth: Options | None = None, **said: t.Any) -> t.Any:
    """Make an issuer with every power."""
    return Made("openbao", t.cast("t.Any", None)).issuer(pki.options(auth, **said))


def role(pki: make.Pki, name: str, **said: t.Any) -> Options:
    """Make a role like `web` with other settings, and return options with it, and with all rights."""
    pki.call("POST", f"{pki.mount}/roles/{name}", {**make.WEB, **said})
    return {"role": name, "auth": {"token": {"token": pki.server.token}}}


def entitled(pki: make.Pki, policy: str, rights: t.Mapping[str, str]) -> Options:
    """Return `auth` with a token that has these rights below the mount, and no others."""
    lines = [f'path "{pki.mount}/{path}" {{ capabilities = ["{right}"] }}' for path, right in rights.items()]
    pki.call("PUT", f"sys/policies/acl/{policy}", {"policy": "\n".join(lines)})
    return {"token": {"token": make.token(pki, policy)}}


def examined(one: t.Any, asked: t.Any) -> None:
    """Check an answer as the controller does."""
    (generation,) = settled(one, asked)
    assert accepted(generation, asked, local.public_id(), one.roots(), local.now())


# what is signed


@pytest.mark.parametrize("way", ["token", "approle", "wrapped", "cert", "jwt"])
def test_every_way_to_log_in_gets_a_certificate_in_a_namespace(openbao: Server, tmp_path: Path, way: str) -> None:
    pki = make.pki(openbao, namespace=make.namespace(openbao))
    ways: dict[str, t.Callable[[], Options]] = {
        "token": lambda: {"token": {"token": make.token(pki)}},
        "approle": lambda: make.approle(pki),
        "wrapped": lambda: make.wrapped(make.approle(pki), pki),
        "cert": lambda: make.certificate(pki, tmp_path),
        "jwt": lambda: make.jwt(pki),
    }
    one = issuer(pki, ways[way]())
    examined(one, local.request())
    assert f"/v1/{pki.namespace}/{pki.mount}" in one.id


def test_secrets_are_read_from_files_and_the_environment(
    pki: make.Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approle, jwt, file = make.approle(pki)["approle"], make.jwt(pki)["jwt"], tmp_path / "secret"
    monkeypatch.setenv("THE_TOKEN", make.token(pki))
    ways = (
        (make.token(pki), {"token": {"token_file": str(file)}}),
        ("", {"token": {"token_env": "THE_TOKEN"}}),
        (approle.pop("secret_id"), {"approle": {**approle, "secret_id_file": str(file)}}),
        (jwt.pop("jwt"), {"jwt": {**jwt, "jwt_file": str(file)}}),
    )
    for secret, auth in ways:
        file.write_text(f"{secret}\n# the second line is nobody's\n", encoding="utf-8")
        examined(issuer(pki, auth), local.request())


@pytest.mark.parametrize("profile", ["tls_server", "tls_client", "tls_peer"])
def test_verbatim_the_profile_of_the_task_holds(pki: make.Pki, profile: str) -> None:
    powerful = {"token": {"token": pki.server.token}}
    for said in ({"role": None}, {"role": "web"}, {"role": None, "issuer_ref": "default"}):
        one = issuer(pki, powerful, sign_verbatim=True, **said)
        examined(one, local.request(Subject("a.example.com", ("a.example.com",)), profile=profile, lifetime=86400))


def test_a_role_that_takes_no_names_from_requests_gets_them_all(pki: make.Pki) -> None:
    said = role(pki, "own", use_csr_sans=False, use_csr_common_name=False, allowed_uri_sans="spiffe://example.org/*")
    names = Subject(
        "a.example.org", ("a.example.org", "b.example.org"), ("192.0.2.7", "2001:db8::7"),
        ("spiffe://example.org/a,b", "spiffe://example.org/c"), ("root@mail.example.org",),
    )  # fmt: skip
    examined(issuer(pki, **said), local.request(names))


def test_an_issuer_of_the_mount_is_chosen_by_its_name(openbao: Server) -> None:
    pki = make.pki(openbao)
    said = {"common_name": "second root", "issuer_name": "second", "key_type": "ec", "ttl": "8760h"}
    pki.call("POST", f"{pki.mount}/issuers/generate/root/internal", said)
    first, second = issuer(pki), issuer(pki, issuer_ref="second")
    assert second.id == f"{first.id}/issuer/second"
    assert first.roots() != second.roots()
    for one in (first, second):
        examined(one, local.request())
    refused = refusal(issuer(pki, issuer_ref="third"), local.request())
    assert (type(refused), str(refused)) == (
        Misconfigured, f"openbao: mount {pki.mount} has no issuer third; correct issuer_ref",
    )  # fmt: skip


def test_a_mount_that_does_not_know_its_root_needs_it_declared(openbao: Server, tmp_path: Path) -> None:
    pki, below = make.pki(openbao), make.pki(openbao)
    csr = below.call("POST", f"{below.mount}/intermediate/generate/internal", {"common_name": "b", "key_type": "ec"})
    said = {"csr": csr["data"]["csr"], "common_name": "rootless", "ttl": "8760h"}
    signed = pki.call("POST", f"{pki.mount}_root/root/sign-intermediate", said)["data"]
    imported = below.call("POST", f"{below.mount}/intermediate/set-signed", {"certificate": signed["certificate"]})
    reference = imported["data"]["imported_issuers"][0]
    refused = refusal(issuer(below, issuer_ref=reference), local.request())
    assert type(refused) is Misconfigured
    assert f"openbao: mount {below.mount} does not know the root above CN=rootless; name it in" in str(refused)
    world = World(tmp_path)
    options = below.options(issuer_ref=reference, roots=[pki.root_pem])
    world.settled([web()], issuer={"openbao": options})
    assert world.path("web", "current", "roots.pem").read_text(encoding="utf-8").strip() == pki.root_pem.strip()


# what is refused, and how that is said


REFUSALS: dict[str, tuple[Options, Subject, str]] = {
    "a name": ({"allowed_domains": "example.com"}, local.WEB, "does not allow a.example.org; name others"),
    "an address": ({"allow_ip_sans": False}, Subject(ip_addresses=("192.0.2.7",)), "does not allow 192.0.2.7; .*ip"),
    "a URI": ({"allowed_uri_sans": ""}, Subject(uris=("spiffe://example.org/x",)), "spiffe://example.org/x; .*uri"),
    "a mailbox": ({}, Subject(email_addresses=("a@example.com",)), "does not allow a@example.com; name others"),
    "no common name": ({"require_cn": True}, local.WEB, "wants a common name; write common_name, or set require_cn"),
    "a type of key": ({"key_type": "rsa"}, local.WEB, "signs rsa keys only; write another key.type"),
    "a small key": ({"key_type": "ec", "key_bits": 384}, local.WEB, "wants keys of at least .*384"),
    "a life": ({"max_ttl": "90000h", "ttl": "90000h"}, local.WEB, "ends on 20.*; write a shorter lifetime"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_a_role_refuses_is_said_in_the_words_of_the_task(pki: make.Pki, what: str) -> None:
    settings, subject, words = REFUSALS[what]
    name = what.replace(" ", "-")
    lifetime = 80000 * 3600 if what == "a life" else 86400
    refused = refusal(issuer(pki, **role(pki, name, **settings)), local.request(subject, lifetime=lifetime))
    assert type(refused) is Denied
    assert str(refused).startswith("openbao: ")
    assert re.search(words, str(refused)), str(refused)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ({"role": "nobody"}, Misconfigured, "has no role nobody; correct issuer.openbao.role, or make it there"),
        ({"mount": "nowhere"}, Misconfigured, "there is nothing at nowhere/sign/web .*; correct mount"),
        ({"namespace": "nowhere"}, Misconfigured, "correct mount, namespace or url"),
    ],
)
def test_what_is_not_there_is_named(pki: make.Pki, said: Options, kind: type, words: str) -> None:
    powerful = {"token": {"token": pki.server.token}}
    one = issuer(pki, powerful, **said)
    refused = one.begin([local.request(), local.request(number=1)])
    assert [type(error) for error in refused] == [kind, kind]
    assert re.search(words, str(refused[0])), str(refused[0])


def test_a_request_with_other_names_than_the_task_is_not_sent(pki: make.Pki) -> None:
    other = local.request(Subject(dns_names=("c.example.org",)))
    refused = refusal(issuer(pki), local.request()._replace(csr=other.csr))
    assert str(refused) == "openbao: web is not asked for: the request names others than the task"


def test_a_refused_login_is_tried_once_in_a_task(pki: make.Pki) -> None:
    auth = make.approle(pki)
    auth["approle"]["secret_id"] = "stale"
    before = len(pki.server.audited())
    one = issuer(pki, auth)
    for _batch in range(2):
        assert {type(answer) for answer in one.begin([local.request(number=n) for n in range(5)])} == {Denied}
    assert {type(answer) for answer in one.revoke([b"", b""], "unspecified")} <= {Denied}
    paths = [one["request"]["path"] for one in pki.server.audited()[before:] if one["type"] == "request"]
    assert paths == [f"auth/{auth['approle']['mount']}/login"]


# how it is reached


@contextlib.contextmanager
def proxied(pki: make.Pki) -> t.Iterator[faulty.FaultyProxy]:
    server = pki.server
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        yield proxy


def elsewhere(place: str) -> faulty.Fault:
    """Redirect as a standby does."""
    return lambda handler: handler.reply(faulty.Reply(307, {"Location": place + handler.path}, b""))


def test_a_standby_that_names_the_active_node_is_followed_and_not_asked_again(pki: make.Pki) -> None:
    with proxied(pki) as proxy:
        proxy.fail(elsewhere(pki.server.url))
        one = issuer(pki, url=proxy.url)
        settled(one, local.request(), local.request(number=1))
        assert len(proxy.seen) == 1


@pytest.mark.parametrize("place", ["https://127.0.0.1:1/other", "https://user@127.0.0.1:1", "//127.0.0.1", "ftp://x"])
def test_a_redirect_that_is_no_other_node_is_not_followed(pki: make.Pki, place: str) -> None:
    with proxied(pki) as proxy:
        proxy.fail(elsewhere(place))
        refused = refusal(issuer(pki, url=proxy.url), local.request())
        assert isinstance(refused, (Misconfigured, Unavailable))


def test_who_redirects_without_end_is_left(pki: make.Pki) -> None:
    with proxied(pki) as proxy:
        proxy.fail(elsewhere(proxy.url))
        refused = refusal(issuer(pki, url=proxy.url), local.request())
        assert type(refused) is Misconfigured
        assert "redirects" in str(refused)
        assert len(proxy.seen) == 2


def test_without_a_bundle_the_system_is_trusted_and_no_variable_changes_that(
    pki: make.Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = str(pki.server.ca_bundle)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "VAULT_CACERT", "BAO_CACERT"):
        monkeypatch.setenv(name, bundle)
    refused = refusal(issuer(pki, ca_bundle=None), local.request())
    assert type(refused) is Misconfigured
    assert "signed by nobody who is trusted here; name its authority in ca_bundle" in str(refused)


def test_no_variable_leads_a_call_elsewhere_or_writes_down_its_keys(
    pki: make.Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = issuer(pki)  # nothing is read or connected yet; who makes its token here is no part of this
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "VAULT_ADDR", "BAO_ADDR", "VAULT_HTTP_PROXY"):
        monkeypatch.setenv(name, "https://127.0.0.1:9")
    monkeypatch.setenv("VAULT_NAMESPACE", "elsewhere")
    monkeypatch.setenv("VAULT_TOKEN", "s.elsewhere")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    examined(one, local.request())
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"ca_bundle": "/no/such/file"}, "ca_bundle /no/such/file: No such file or directory; write the path"),
        ({"ca_bundle": __file__}, "it is not PEM, or does not fit; write the path of PEM certificates"),
        ({"auth": {"cert": {"certificate": "/no/such", "private_key": "/no/such"}}}, "auth.cert: certificate /no/such"),
        ({"auth": {"token": {"token_file": "/no/such/file"}}}, "token_file /no/such/file cannot be read"),
        ({"auth": {"token": {"token_env": "NO_SUCH"}}}, "token_env: the environment has no such variable"),
        ({"auth": {"token": {"token": "two words"}}}, "token.token: what is there is empty or no credential"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(pki: make.Pki, said: Options, words: str) -> None:
    refused = refusal(issuer(pki, **said), local.request())
    assert type(refused) is Misconfigured
    assert words in str(refused)
    assert "two words" not in str(refused)


def test_a_key_with_a_passphrase_is_refused_without_asking_at_the_terminal(pki: make.Pki, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    auth = make.certificate(pki, tmp_path)
    sealed = local.key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (tmp_path / "controller.key").write_bytes(sealed)
    refused = refusal(issuer(pki, auth), local.request())
    assert "it has a passphrase; write the paths of a pair in PEM" in str(refused)


# what is remembered


def test_what_no_store_forgot_is_revoked_all_the_same(pki: make.Pki) -> None:
    one = issuer(pki, role="no_store")
    (generation,) = settled(one, local.request())
    assert isinstance(one.status(der(generation)), Good)
    (answer,) = one.revoke([der(generation)], "unspecified")
    assert isinstance(answer, Revoked), answer
    assert one.status(der(generation)) == answer
    assert one.advice() == []


def test_a_certificate_of_an_issuer_that_is_gone_is_revoked_by_its_number(openbao: Server) -> None:
    pki = make.pki(openbao)
    made_ = pki.call("POST", f"{pki.mount}/issuers/generate/root/internal", {
        "common_name": "short-lived", "issuer_name": "gone", "key_type": "ec", "ttl": "8760h",
    })["data"]  # fmt: skip
    one = issuer(pki, issuer_ref="gone")
    (generation,) = settled(one, local.request())
    pki.call("DELETE", f"{pki.mount}/issuer/{made_['issuer_id']}")
    (answer,) = issuer(pki).revoke([der(generation)], "superseded")
    assert isinstance(answer, (Revoked, KeysteadError))
    assert isinstance(answer, Revoked), answer


def test_a_list_of_many_pages_leaves_nothing_out(openbao: Server) -> None:
    one = issuer(make.pki(openbao))
    asked = [local.request(Subject(dns_names=(f"n{n}.example.org",)), number=n) for n in range(40)]
    generations = settled(one, *asked)
    for page in (7, 8, 1000):
        records = one._records
        records.page = page
        found = sorted(record.public_id for record in records.issued(local.now()))
        assert found == sorted(generation.public_id for generation in generations), page


def test_a_list_without_details_serves_as_well(pki: make.Pki) -> None:
    begun = local.now()
    one = issuer(pki, entitled(pki, "plain", {"certs": "list", "sign/web": "update"}))
    (generation,) = settled(one, local.request())
    assert generation in [record.generation for record in one.issued(begun)]


def test_the_policy_of_the_documentation_is_enough(pki: make.Pki) -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "docsite" / "rst" / "issuer_openbao.rst").read_text(encoding="utf-8")
    policy = textwrap.dedent(page.partition(".. code-block:: text\n")[2].lstrip("\n").partition("\n\n")[0])
    pki.call("PUT", "sys/policies/acl/shown", {"policy": policy.replace('"pki/', f'"{pki.mount}/')})
    begun, one = local.now(), issuer(pki, {"token": {"token": make.token(pki, "shown")}})
    (generation,) = settled(one, local.request())
    assert generation in [record.generation for record in one.issued(begun)]
    assert isinstance(one.revoke([der(generation)], "unspecified")[0], Revoked)
    assert one.advice() == []


def test_who_may_not_list_goes_on_and_is_told(openbao: Server, tmp_path: Path) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    auth = entitled(pki, "signs", {"sign/web": "update"})
    with proxied(pki) as proxy:
        proxy.fail(faulty.lose, "/sign/", times=1)
        said = {"openbao": pki.options(auth, url=proxy.url)}
        assert world.converge([web()], issuer=said)["failed"]
        result = world.converge([web()], issuer=said)
    assert not result.get("failed"), result.get("msg")
    lost, told = sorted(result["warnings"], key=lambda line: line.startswith("openbao: "))
    assert lost.startswith("web: an earlier answer of openbao:https://")
    assert told.startswith(f"openbao: lost answers cannot be looked for: the login may not list {pki.mount}/certs")
    assert world.query("SELECT state FROM generations ORDER BY id") == [("orphaned",), ("current",)]
