# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is particular to keys in a transit engine: versions, minimum versions, what is refused, and which rights do."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    Denied,
    Misconfigured,
    NotConverged,
    Unavailable,
    Unreached,
)
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence
from ansible_collections.keystead.identity.tests.harness.keystores import verify
from ansible_collections.keystead.identity.tests.harness.openbao_server import Refused, free_ports
from ansible_collections.keystead.identity.tests.harness.openbao_transit import NAME, Engine, least, store

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]
TYPE = "ecdsa-p256"
DATA = b"what stands in a certificate"


@pytest.fixture
def engine(openbao: Server) -> Engine:
    return Engine(openbao)


def uris(engine: Engine, count: int) -> list[str]:
    """Make so many versions as so many renewals do; return what names them."""
    made: list[str] = []
    for _renewal in range(count):
        made.append(store(engine.options(), *made[-1:], *made).stage(TYPE).uri)
    return made


def versions(engine: Engine) -> list[int]:
    return sorted(map(int, engine.read()["keys"]))


def sentence(refused: pytest.ExceptionInfo[t.Any], *secrets: str) -> str:
    return check_sentence(refused.value, NAME, secrets)


# versions


def test_a_uri_names_server_namespace_mount_name_and_version(openbao: Server) -> None:
    engine = Engine(openbao, make.namespace(openbao))
    first, second = uris(engine, 2)
    assert first == f"openbao-transit:{openbao.url}/v1/{engine.namespace}/{engine.mount}/keys/web?version=1"
    assert second == first.replace("version=1", "version=2")
    assert f"{store(engine.options(namespace=engine.namespace)).place}?version=1" == first


def test_a_key_is_made_so_that_it_never_comes_out(engine: Engine) -> None:
    uris(engine, 1)
    said = engine.read()
    assert (said["exportable"], said["allow_plaintext_backup"], said["deletion_allowed"]) == (False, False, False)


def test_a_version_that_somebody_made_by_hand_is_the_next_one(engine: Engine) -> None:
    (first,) = uris(engine, 1)
    engine.rotate()
    assert store(engine.options(), first).staged().uri.endswith("version=2")
    assert store(engine.options(), first).stage(TYPE).uri.endswith("version=2")
    assert versions(engine) == [1, 2]


def test_each_version_signs_for_itself(engine: Engine) -> None:
    made = uris(engine, 3)
    keys = [store(engine.options(), uri).current() for uri in made]
    assert len({key.public_key().public_numbers() for key in keys}) == 3
    for key in keys:
        verify(key.public_key(), key.sign(DATA), DATA)


def test_a_rotation_whose_answer_was_lost_is_not_done_again(engine: Engine) -> None:
    server, (first,) = engine.server, uris(engine, 1)
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        proxy.fail(faulty.lose, "/rotate", times=1)
        with pytest.raises(Unavailable, match="run again"):
            store(engine.options(url=proxy.url), first).stage(TYPE)
        assert store(engine.options(url=proxy.url), first).stage(TYPE).uri.endswith("version=2")
    assert versions(engine) == [1, 2]


def test_a_key_that_was_lost_is_made_anew_and_no_version_is_named_twice(engine: Engine) -> None:
    made = uris(engine, 3)
    engine.change(deletion_allowed=True)
    engine.call("DELETE", f"{engine.mount}/keys/web")
    again = store(engine.options(), made[-1], *made)
    assert (again.current(), again.staged(), again.left()) == (None, None, None)
    assert again.stage(TYPE).uri.endswith("version=4")
    assert store(engine.options(), made[-1], *made).staged().uri.endswith("version=4")


def test_a_key_that_is_far_behind_what_was_used_is_not_rotated_to_there(engine: Engine) -> None:
    (first,) = uris(engine, 1)
    far = first.replace("version=1", "version=102")
    with pytest.raises(Misconfigured, match=r"has 1 versions, and version 102 was used.*write another name") as refused:
        store(engine.options(), far).stage(TYPE)
    sentence(refused)
    assert versions(engine) == [1]


def test_a_server_that_is_called_otherwise_has_the_same_keys(engine: Engine) -> None:
    first, second = uris(engine, 2)
    options = engine.options(url=engine.server.url.replace("127.0.0.1", "localhost"))
    moved = store(options, second, first)
    assert moved.current().uri == second.replace("127.0.0.1", "localhost")
    assert moved.staged() is None
    moved.delete()
    assert versions(engine) == [1, 2]


@pytest.mark.parametrize(
    "uri", ["pkcs11:token=web;id=%01", "/var/lib/keys/web.pem", "openbao-transit:https://x/v1/other/keys/web?version=1"]
)
def test_a_key_that_lives_elsewhere_is_none_of_these(engine: Engine, uri: str) -> None:
    (first,) = uris(engine, 1)
    found = store(engine.options(), uri)
    assert found.current() is None
    assert found.staged().uri == first


# what is destroyed


def test_what_is_older_than_all_that_is_used_is_destroyed_for_ever(engine: Engine) -> None:
    made = uris(engine, 4)
    found = store(engine.options(), made[3], made[1])
    assert found.left() == f"version 1 of key web of mount {engine.mount} is used by no generation"
    found.delete()
    assert versions(engine) == [2, 3, 4]
    said = engine.read()
    assert [said[f"min_{what}_version"] for what in ("available", "decryption", "encryption")] == [2, 2, 2]
    with pytest.raises(Refused, match="min available version"):
        engine.change(min_decryption_version=1, min_encryption_version=1)
    assert found.left() is None
    for uri in made[1:]:
        key = store(engine.options(), uri).current()
        verify(key.public_key(), key.sign(DATA), DATA)
    store(engine.options(), made[3]).delete()
    assert versions(engine) == [4]


def test_what_is_newer_than_all_that_is_used_waits_for_the_next_renewal(engine: Engine) -> None:
    first, second = uris(engine, 2)
    found = store(engine.options(), first)
    found.delete()
    assert found.left() is None
    assert found.staged().uri == second
    assert versions(engine) == [1, 2]


def test_destroying_again_asks_for_nothing(engine: Engine) -> None:
    made = uris(engine, 2)
    store(engine.options(), made[1]).delete()
    before = len(engine.server.audited())
    store(engine.options(), made[1]).delete()
    after = [one["request"] for one in engine.server.audited()[before:] if one["type"] == "request"]
    assert [one["path"] for one in after if one["operation"] != "read"] == []


def test_a_key_that_nobody_uses_is_destroyed_though_the_server_forbids_it_at_first(engine: Engine) -> None:
    uris(engine, 2)
    found = store(engine.options())
    assert found.left() == f"versions 1 to 2 of key web of mount {engine.mount} are used by no generation"
    found.delete()
    with pytest.raises(Refused, match="404"):
        engine.read()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"type": "aes256-gcm96"}, "is of type aes256-gcm96, which we do not make"),
        ({"type": TYPE, "exportable": True}, "can be exported, which cannot be undone, so we did not make it; delete"),
        ({"type": "ed25519", "derived": True}, "has other keys derived from it, so we did not make it; delete it by"),
    ],
)
def test_a_key_that_we_cannot_have_made_is_not_destroyed(engine: Engine, made: dict[str, t.Any], words: str) -> None:
    engine.call("POST", f"{engine.mount}/keys/web", made)
    with pytest.raises(Misconfigured, match=words) as refused:
        store(engine.options()).delete()
    sentence(refused)
    assert versions(engine) == [1]


def test_what_the_server_says_to_have_destroyed_and_still_has_is_an_error(engine: Engine) -> None:
    made, server = uris(engine, 2), engine.server
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        proxy.fail(faulty.says(200, {"data": {}}), "/trim")
        words = "version 1 of key web .* is used by no generation, and cannot be destroyed"
        with pytest.raises(NotConverged, match=words) as refused:
            store(engine.options(url=proxy.url), made[1]).delete()
    sentence(refused)


# minimum versions


@pytest.mark.parametrize("floor", ["min_encryption_version", "min_decryption_version"])
def test_a_key_below_a_minimum_version_of_the_operator_is_gone(engine: Engine, floor: str) -> None:
    made = uris(engine, 2)
    engine.change(**{floor: 2})
    assert store(engine.options(), made[0]).current() is None
    assert store(engine.options(), made[1], made[0]).current().uri == made[1]
    assert store(engine.options(), made[1], made[0]).stage(TYPE).uri.endswith("version=3")


def test_a_minimum_version_of_the_operator_is_not_lowered(engine: Engine) -> None:
    made = uris(engine, 3)
    engine.change(min_encryption_version=3)
    store(engine.options(), made[2], made[1]).delete()
    said = engine.read()
    assert [said[f"min_{what}_version"] for what in ("available", "decryption", "encryption")] == [2, 2, 3]


# what is refused

FLAWS: dict[str, tuple[Callable[[Engine], object], str]] = {
    "exportable": (lambda one: one.change(exportable=True), "can be exported, which cannot be undone; name another"),
    "backup": (lambda one: one.change(allow_plaintext_backup=True), "can be backed up in plaintext.*; name another"),
    "rotating": (
        lambda one: one.change(auto_rotate_period="24h"),
        "gets new versions by itself; end that: bao write .*/keys/web/config auto_rotate_period=0",
    ),
    "deleted": (
        lambda one: one.call("DELETE", f"{one.mount}/keys/web/soft-delete"),
        "was deleted and can be restored: bao write -f .*/keys/web/soft-delete-restore; or name another one",
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_key_that_is_not_as_we_make_them_is_refused_with_a_remedy(engine: Engine, flaw: str) -> None:
    spoil, words = FLAWS[flaw]
    (first,) = uris(engine, 1)
    spoil(engine)
    for attempt in (
        lambda: store(engine.options(), first).current(),
        lambda: store(engine.options()).staged(),
        lambda: store(engine.options(), first).stage(TYPE),
    ):
        with pytest.raises(Misconfigured, match=f"^{NAME}: key web of mount {engine.mount} {words}") as refused:
            attempt()
        sentence(refused)
    assert versions(engine) == [1]


@pytest.mark.parametrize("flaw", ["rotating", "deleted"])
def test_a_key_of_ours_that_somebody_changed_is_destroyed_all_the_same(engine: Engine, flaw: str) -> None:
    uris(engine, 1)
    FLAWS[flaw][0](engine)
    store(engine.options()).delete()
    with pytest.raises(Refused, match="404"):
        engine.read()


@pytest.mark.parametrize(
    "said", [{"type": "ed25519", "derived": True}, {"type": "aes256-gcm96"}, {"type": "hmac", "key_size": 32}]
)
def test_a_key_of_somebody_else_is_not_taken(engine: Engine, said: dict[str, t.Any]) -> None:
    engine.call("POST", f"{engine.mount}/keys/web", said)
    with pytest.raises(Misconfigured, match=r"(derived from it|which we do not make); name another") as refused:
        store(engine.options()).stage("ed25519")
    sentence(refused)
    assert engine.read()["latest_version"] == 1


def test_another_type_under_the_same_name_is_refused_and_says_what_to_do(engine: Engine) -> None:
    (first,) = uris(engine, 1)
    words = r"is of type ecdsa-p256, and .*; for rsa-2048, write another name, and delete this key when its last cert"
    with pytest.raises(Misconfigured, match=words) as refused:
        store(engine.options(), first).stage("rsa-2048")
    sentence(refused)
    with pytest.raises(Misconfigured, match="delete this key if it is this identity's"):
        store(engine.options()).stage("rsa-2048")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"timeout": "0s"}, r"key\.custody\.openbao_transit\.timeout: '0s' is no time at all"),
        ({"timeout": "soon"}, r"key\.custody\.openbao_transit\.timeout: 'soon' is not a duration"),
        ({"mount": "/"}, r"key\.custody\.openbao_transit\.mount is empty"),
        ({"name": ""}, r"key\.custody\.openbao_transit\.name is empty"),
        ({"name": "web/1"}, r"key\.custody\.openbao_transit\.name: 'web/1' is not a name"),
        ({"url": "http://bao.example"}, r"key\.custody\.openbao_transit\.url: http://bao\.example is not safe"),
        ({"auth": {"token": {}}}, r"auth\.token: exactly one of token, token_file, token_env is needed, found none"),
    ],
)
def test_an_option_that_cannot_be_right_is_refused_before_anybody_is_asked(
    engine: Engine, said: dict[str, t.Any], words: str
) -> None:
    with pytest.raises(Misconfigured, match=f"^openbao_transit: {words}") as refused:
        store(engine.options(**said))
    sentence(refused)


# rights


@pytest.mark.parametrize("key", ["web", "+"])
def test_the_policy_of_the_page_suffices_for_a_whole_life(openbao: Server, key: str) -> None:
    engine = Engine(openbao, key=key)
    live(engine.options(auth={"token": {"token": engine.token()}}))
    with pytest.raises(Refused, match="404"):
        engine.read()


@pytest.mark.parametrize("key", ["web", "+"])
def test_the_policy_of_the_page_lets_nobody_make_a_key_exportable(openbao: Server, key: str) -> None:
    engine = Engine(openbao, key=key)
    uris(engine, 1)
    for said in ({"exportable": True}, {"allow_plaintext_backup": True}, {"auto_rotate_period": "1h"}):
        with pytest.raises(Refused, match="403"):
            openbao.call("POST", f"{engine.mount}/keys/web/config", said, token=engine.token())


def test_a_policy_for_one_key_reaches_no_other(openbao: Server) -> None:
    engine = Engine(openbao, key="web")
    token = engine.token()
    with pytest.raises(Denied, match=f"may not read {engine.mount}/keys/other .*capability read") as refused:
        store(engine.options("other", auth={"token": {"token": token}})).staged()
    sentence(refused, token)


@pytest.mark.parametrize(
    ("path", "granted", "right"),
    [
        ("keys/web", "update", "read"),
        ("keys/web", "read", "update"),
        ("keys/web", "read, update", "delete"),
        ("keys/web/rotate", "deny", "update"),
        ("keys/web/trim", "deny", "update"),
        ("keys/web/config", "deny", "update"),
        ("sign/web", "deny", "update"),
    ],
)
def test_a_right_that_is_missing_is_named_with_its_path(openbao: Server, path: str, granted: str, right: str) -> None:
    engine = Engine(openbao, key="web")
    rights = ", ".join(f'"{one}"' for one in granted.split(", "))
    before, name, after = least(engine.mount, "web").partition(f'path "{engine.mount}/{path}"')
    assert name
    engine.allow(before + name + re.sub(r"capabilities = \[.*?\]", f"capabilities = [{rights}]", after, count=1))
    token = engine.token()
    with pytest.raises(Denied, match=f"may not {right} {engine.mount}/{path} .*capability {right} there") as refused:
        live(engine.options(auth={"token": {"token": token}}))
    sentence(refused, token)


def live(said: dict[str, t.Any]) -> None:
    """Do all that a custody does in the life of an identity."""
    first = store(said).stage(TYPE)
    verify(first.public_key(), first.sign(DATA), DATA)
    second = store(said, first.uri).stage(TYPE)
    store(said, second.uri).delete()
    store(said).delete()


# faults


def test_a_mount_or_a_namespace_that_is_not_there_is_named(engine: Engine) -> None:
    with pytest.raises(Misconfigured, match=r"nothing at nowhere/keys/web \(no handler.*correct mount") as refused:
        store(engine.options(mount="nowhere")).stage(TYPE)
    sentence(refused)
    with pytest.raises(Misconfigured, match=r"namespace not found.*correct mount, namespace") as refused:
        store(engine.options(namespace="nowhere")).staged()
    sentence(refused)


def test_a_mount_of_another_kind_is_no_transit_engine(engine: Engine) -> None:
    engine.call("POST", f"sys/mounts/{engine.mount}kv", {"type": "kv"})
    engine.call("POST", f"{engine.mount}kv/keys/web", {"keys": "of mine"})
    with pytest.raises(Misconfigured, match=f"mount {engine.mount}kv is no transit engine; correct mount") as refused:
        store(engine.options(mount=f"{engine.mount}kv")).stage(TYPE)
    sentence(refused)


def test_a_server_that_is_sealed_or_gone_says_so(engine: Engine) -> None:
    key = store(engine.options()).stage(TYPE)
    engine.server.seal()
    try:
        for attempt in (lambda: key.sign(DATA), lambda: store(engine.options()).staged()):
            with pytest.raises(Unreached, match="it is sealed; unseal it and run again") as refused:
                attempt()
            sentence(refused)
    finally:
        engine.server.unseal()
    (port,) = free_ports(1)
    with pytest.raises(Unreached, match=f"127.0.0.1:{port} accepts no connection; run again") as refused:
        store(engine.options(url=f"https://127.0.0.1:{port}", timeout="5s")).staged()
    sentence(refused)


def test_a_login_that_is_refused_is_said_in_the_name_of_the_custody(engine: Engine) -> None:
    said = engine.options(auth={"approle": {"role_id": "nobody", "secret_id": "opens-nothing", "mount": "nowhere"}})
    with pytest.raises(Denied, match=r"^openbao_transit: auth\.approle: the server does not accept it") as refused:
        store(said).staged()
    sentence(refused, "opens-nothing")


@pytest.mark.parametrize(
    "answer",
    [
        {"key_version": 2, "signature": "vault:v1:MAYCAQECAQE="},
        {"key_version": 1, "signature": "vault:v2:MAYCAQECAQE="},
        {"key_version": 1, "signature": "vault:v1:bm8gREVS"},
        {"key_version": 1, "signature": "vault:v1:%%"},
        {"key_version": 1},
        {},
    ],
)
def test_an_answer_that_is_no_signature_of_this_version_is_not_taken(engine: Engine, answer: dict[str, t.Any]) -> None:
    server = engine.server
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        key = store(engine.options(url=proxy.url)).stage(TYPE)
        proxy.fail(faulty.says(200, {"data": answer}), "/sign/")
        with pytest.raises(Unavailable, match="its signature cannot be understood") as refused:
            key.sign(DATA)
        sentence(refused)
        proxy.heal()
        verify(key.public_key(), key.sign(DATA), DATA)


def test_a_public_key_that_is_none_is_not_taken(engine: Engine) -> None:
    server = engine.server
    uris(engine, 1)
    said = {**engine.read(), "keys": {"1": {"public_key": "none"}}}
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        proxy.fail(faulty.says(200, {"data": said}), "/keys/web")
        with pytest.raises(Unavailable, match="its public key cannot be understood") as refused:
            store(engine.options(url=proxy.url)).staged()
    sentence(refused)


def test_only_the_hash_of_what_is_signed_leaves_the_controller_where_it_is_hashed(engine: Engine) -> None:
    server = engine.server
    bodies: list[bytes] = []

    def note(handler: faulty.Handler) -> None:
        bodies.append(handler.body)
        faulty.pass_on(handler)

    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        key = store(engine.options(url=proxy.url)).stage(TYPE)
        proxy.fail(note, "/sign/")
        verify(key.public_key(), key.sign(DATA * 1000), DATA * 1000)
    assert [len(body) < 300 for body in bodies] == [True]


# one login


def test_one_login_and_one_connection_serve_all_identities(openbao: Server) -> None:
    engine, pki = Engine(openbao), make.pki(openbao)
    engine.call("PUT", f"sys/policies/acl/{pki.policy}", {"policy": least(engine.mount)})
    auth, ports = make.approle(pki), set[int]()

    def note(handler: faulty.Handler) -> None:
        ports.add(handler.client_address[1])
        faulty.pass_on(handler)

    with faulty.before(openbao.url, openbao.ca_bundle, openbao.authority) as proxy:
        proxy.fail(note)
        for number in range(5):
            key = store(engine.options(f"web{number}", url=proxy.url, auth=auth)).stage(TYPE)
            verify(key.public_key(), key.sign(DATA), DATA)
        logins = [one for one in proxy.seen if one.endswith("/login")]
    assert len(logins) == len(ports) == 1
