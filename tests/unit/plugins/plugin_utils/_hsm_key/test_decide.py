# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which key is meant, whether it is as declared, what is to be done, and what is to be said of it: by tables."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.held import (
    TOKEN_KEY_TYPES,
    Held,
    Seen,
    capabilities,
    usages_of,
)
from ansible_collections.keystead.identity.plugins.module_utils._options.hsm_key import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._hsm_key.decide import Known, check, chosen, decide
from ansible_collections.keystead.identity.plugins.plugin_utils._hsm_key.findings import findings
from ansible_collections.keystead.identity.plugins.plugin_utils._hsm_key.wanted import Wanted, wanted
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

pytestmark = pytest.mark.one_core

GOOD = ("sensitive", "always_sensitive", "never_extractable", "local", "sign")
KEY = Held("pkcs11:id=%0A;object=web", "0a", "web", "ecdsa-p256", ("private", "public"), b"x", GOOD, ("extractable",))
TOKEN = {"module_path": "/usr/lib/module.so", "token_label": "suite"}


def declared(**said: t.Any) -> Wanted:
    options = {name: value for name, value in {**TOKEN, "label": "web", **said}.items() if value is not None}
    return wanted(validated(options, spec(OPTIONS), module="hsm_key"))


def seen(*keys: Held, restricts: bool = True) -> Seen:
    return Seen("suite", "0815", "maker", "model", restricts, keys)


def but(*, has: str = "", lacks: str = "", **said: t.Any) -> Held:
    """Return the good key with attributes that differ."""
    no, yes = set(lacks.split()), set(has.split())
    key = KEY._replace(**said)
    return key._replace(
        has=tuple(one for one in (*key.has, *sorted(yes)) if one not in no),
        lacks=tuple(one for one in (*key.lacks, *sorted(no)) if one not in yes),
    )


@pytest.mark.parametrize(
    ("said", "keys", "found"),
    [
        ({}, (), None),
        ({}, (KEY,), "0a"),
        ({"label": None, "id": "0A"}, (KEY,), "0a"),
        ({"id": "0a"}, (KEY, KEY._replace(id="0b")), "0a"),
        ({"type": "rsa-2048"}, (KEY, KEY._replace(id="0b", type="rsa-2048")), "0b"),
        ({"type": "rsa-2048"}, (KEY,), "0a"),  # the only one, which `check` refuses then
        ({"id": "0b", "state": "absent"}, (KEY,), None),
    ],
)
def test_the_key_that_is_meant(said: dict[str, t.Any], keys: tuple[Held, ...], found: str | None) -> None:
    key = chosen(declared(**said), seen(*keys))
    assert (key.id if key else None) == found


@pytest.mark.parametrize(
    ("said", "keys", "message"),
    [
        ({}, [KEY._replace(id=f"0{number}") for number in range(7)], "has 7 keys with label web: .* and 2 more; say"),
        ({"type": "ecdsa-p256"}, [KEY, KEY._replace(id="0b")], "has 2 keys with label web"),
        ({"id": "0b"}, [KEY], "has no key with label web and id 0b, but has key of type ecdsa-p256 with label web and"),
    ],
)
def test_in_doubt_no_key_is_meant(said: dict[str, t.Any], keys: list[Held], message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        chosen(declared(**said), seen(*keys))


@pytest.mark.parametrize(
    ("said", "key", "known", "steps"),
    [
        ({}, None, Known(), ["stage_key"]),
        ({}, None, Known(stale=("pkcs11:id=%0A",)), ["stage_key"]),
        ({}, KEY, Known(), ["adopt"]),
        ({}, KEY, Known(recorded=True), []),
        ({}, KEY, Known(recorded=True, users=("identity web of web1",)), []),
        ({}, KEY, Known(recorded=True, stale=("pkcs11:id=%0B",)), ["withdraw"]),
        ({"state": "absent"}, None, Known(), []),
        ({"state": "absent"}, None, Known(stale=("pkcs11:id=%0A",)), ["withdraw"]),
        ({"state": "absent"}, KEY, Known(), ["destroy"]),
        ({"state": "absent", "destroy_in_use": True}, KEY, Known(users=("identity web of web1",)), ["destroy"]),
        ({"state": "absent"}, KEY._replace(halves=("public",)), Known(), ["destroy"]),
    ],
)
def test_what_is_to_be_done(said: dict[str, t.Any], key: Held | None, known: Known, steps: list[str]) -> None:
    decided = decide(declared(**said), key, seen(*filter(None, [key])), known)
    assert [step.action for step in decided] == steps


def test_a_key_in_use_is_named_with_its_first_users() -> None:
    users = tuple(f"identity {number} of web1" for number in range(7))
    with pytest.raises(Denied, match=r"is in use by identity 0 of web1, .* and 2 more; replace it there first"):
        decide(declared(state="absent"), KEY, seen(KEY), Known(users=users))


@pytest.mark.parametrize(
    ("said", "key", "message"),
    [
        ({"type": "rsa-2048"}, KEY, "declared is type rsa-2048; declare ecdsa-p256, or"),
        ({}, KEY._replace(halves=("public",)), "only its public half; destroy it"),
        ({}, KEY._replace(type="rsa-1024"), "of a type that is not used here; use one of"),
        ({}, but(lacks="sign"), r"may not sign \(CKA_SIGN is false\), declared is usage sign"),
        ({}, but(has="extractable"), "which can come out of it; declare extractable: true"),
        ({"extractable": True}, KEY, "which can never come out of it; declare extractable: false"),
        ({"usage": ["decrypt"]}, KEY, "a key of type ecdsa-p256 does not decrypt; use sign, derive"),
    ],
)
def test_a_key_that_is_not_as_declared_is_refused(said: dict[str, t.Any], key: Held, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        check(declared(**said), key, seen(key))


@pytest.mark.parametrize(
    ("said", "key", "codes"),
    [
        ({}, KEY, []),
        ({}, but(lacks="local"), ["imported"]),
        ({}, but(lacks="never_extractable"), ["ever_extractable"]),
        ({"extractable": True}, but(has="extractable", lacks="never_extractable"), []),
        ({}, but(lacks="sensitive always_sensitive"), ["not_sensitive"]),
        ({}, but(lacks="always_sensitive"), ["ever_not_sensitive"]),
        ({}, KEY._replace(lacks=()), ["not_told"]),
        ({}, but(has="derive sign_recover"), ["more_usages"]),
        ({"usage": ["derive", "sign"]}, but(has="derive"), []),
        ({}, KEY._replace(halves=("private",)), ["no_public_half"]),
        ({}, but(has="encrypt decrypt", lacks="sign", type="aes-256", halves=("secret",)), []),
        ({}, but(has="encrypt decrypt", type="aes-256", halves=("secret",)), ["more_usages"]),
    ],
)
def test_what_nobody_can_promise_is_said(said: dict[str, t.Any], key: Held, codes: list[str]) -> None:
    assert [one["code"] for one in findings(declared(**said), key, seen(key))] == codes


def test_a_token_that_cannot_restrict_says_so() -> None:
    (found,) = findings(declared(), but(has="decrypt"), seen(KEY, restricts=False))
    assert found["code"] == "usage_not_restricted"
    assert found["msg"].endswith("token suite cannot make a key for one usage alone")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"label": None}, "option label: nothing says which key is meant; set label, id or uri"),
        ({"label": ""}, "option label: it is empty"),
        ({"id": "0"}, "option id: '0' is not CKA_ID in hexadecimal"),
        ({"id": "00" * 256}, "is not CKA_ID in hexadecimal"),
        ({"uri": "pkcs11:object=web"}, "option uri: label stand beside it"),
        ({"label": None, "uri": "https://example.org"}, "option uri: https://example.org is no PKCS#11 URI"),
        ({"label": None, "uri": "pkcs11:object=web;object=x"}, "has the attribute object twice"),
        ({"label": None, "uri": "pkcs11:object=web;type=cert"}, "it names no key, but something of type cert"),
        ({"label": None, "uri": "pkcs11:token=other;object=web"}, "a token with token_label other, and token_label is"),
        ({"token_label": None}, "exactly one of token_label and token_serial is needed, found none"),
        ({"module_path": "module.so"}, "option module_path: 'module.so' is not an absolute path"),
        ({"type": "ed25519", "usage": ["derive"]}, "a key of type ed25519 does not derive; use sign"),
        ({"usage": ["verify"]}, r"option usage\[0\]: 'verify' is none of sign, encrypt"),
        ({"type": "ml-dsa-65"}, "option type: 'ml-dsa-65' is none of"),
    ],
)
def test_a_mistake_in_a_declaration_is_a_sentence(said: dict[str, t.Any], message: str) -> None:
    with pytest.raises(KeysteadError, match=f"^hsm_key: .*{message}"):
        declared(**said)


def test_a_uri_names_token_label_and_id() -> None:
    found = declared(label=None, token_label=None, uri="pkcs11:token=a;serial=0815;id=%0A%ff;object=web;type=private")
    assert (found.token.token_serial, found.token.token_label) == ("0815", None)
    assert (found.label, found.id) == ("web", "0aff")


def test_every_type_has_usages_and_each_is_at_least_one_capability() -> None:
    for name in TOKEN_KEY_TYPES:
        assert usages_of(name)
        assert all(capabilities(name, [usage]) for usage in usages_of(name))
    assert usages_of("rsa-1024") == ()
