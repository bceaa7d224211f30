# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The status of what an OpenBao did not keep: by its OCSP responder and its lists; and revocation by the key alone."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, KeyRevoker, Revoked, Unknown
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.lists import Lists
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.in_process import until
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence, der, settled
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]
KINDS: dict[str, dict[str, t.Any]] = {
    "ecdsa": {"key_type": "ec", "key_bits": 256},
    "rsa": {"key_type": "rsa", "key_bits": 2048},
    "ed25519": {"key_type": "ed25519"},
    "ml-dsa-65": {"key_type": "mldsa", "key_bits": 65},
}


def issuer(pki: make.Pki, **said: t.Any) -> t.Any:
    """Return an issuer that keeps nothing of what it signs."""
    return ISSUERS["openbao"]({**pki.options(role="no_store", **said), "timeout": 30})


def published(one: t.Any, leaf: bytes) -> Good | Revoked | Unknown:
    """Return what is published alone: the server keeps what it revoked, and so would know by itself."""
    lists = Lists(one._client, one._mount, one._reference, one._signer.authority)
    return lists.status(leaf)


def pem(number: int = 0) -> bytes:
    return t.cast("bytes", local.key(number=number).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_kept_is_good_until_it_is_revoked(openbao: Server, kind: str) -> None:
    """The OCSP responder of an issuer with an ML-DSA key answers 500; its list counts."""
    pki = make.pki(openbao, key=KINDS[kind])
    one = issuer(pki)
    first, second = (der(found) for found in settled(one, local.request(), local.request(number=1)))
    assert isinstance(one.status(first), Good)
    (revoked,) = one.revoke([first], "superseded")
    assert isinstance(revoked, Revoked), revoked
    assert one.status(first) == published(one, first) == revoked
    assert isinstance(published(one, second), Good)


def test_a_delta_list_tells_before_the_complete_one_does(openbao: Server) -> None:
    pki = make.pki(openbao)
    settings = {"auto_rebuild": True, "enable_delta": True, "delta_rebuild_interval": "10h", "ocsp_disable": True}
    pki.call("POST", f"{pki.mount}/config/crl", settings)
    one = issuer(pki)
    bad = der(settled(one, local.request())[0])
    (revoked,) = one.revoke([bad], "superseded")
    assert isinstance(published(one, bad), Good), "nobody has published it yet"
    pki.call("GET", f"{pki.mount}/crl/rotate-delta")
    assert published(one, bad) == revoked
    pki.call("GET", f"{pki.mount}/crl/rotate")
    assert one.status(bad) == published(one, bad) == revoked


@pytest.mark.parametrize("kind", ["ecdsa", "ml-dsa-65"])
def test_a_stale_list_says_nothing(openbao: Server, kind: str) -> None:
    pki = make.pki(openbao, key=KINDS[kind])
    settings = {"expiry": "9s", "auto_rebuild": False, "ocsp_disable": True}
    one = issuer(pki)
    leaf = der(settled(one, local.request())[0])
    pki.call("POST", f"{pki.mount}/config/crl", settings)
    pki.call("GET", f"{pki.mount}/crl/rotate")
    assert isinstance(one.status(leaf), Good)
    until(lambda: isinstance(one.status(leaf), Unknown), 30)


def test_nobody_logs_in_to_ask_for_a_status(openbao: Server) -> None:
    pki = make.pki(openbao)
    leaf = der(settled(issuer(pki), local.request())[0])
    powerless = issuer(pki, auth={"token": {"token": "s.opensnothing"}})
    assert isinstance(powerless.status(leaf), Good)


def test_who_has_the_key_may_revoke_without_the_right_to_revoke_others(openbao: Server) -> None:
    pki = make.pki(openbao)
    rights = f'path "{pki.mount}/revoke-with-key" {{ capabilities = ["update"] }}'
    pki.call("PUT", f"sys/policies/acl/key-{pki.mount}", {"policy": rights})
    leaf = der(settled(issuer(pki), local.request())[0])
    finder = issuer(pki, auth={"token": {"token": make.token(pki, f"key-{pki.mount}")}})
    assert isinstance(finder, KeyRevoker)
    (refused,) = finder.revoke([leaf], "key_compromise")
    assert isinstance(refused, Denied)
    revoked = finder.revoke_with_key(leaf, pem())
    assert finder.status(leaf) == revoked
    assert finder.revoke_with_key(leaf, pem()) == revoked, "twice changes nothing"


@pytest.mark.parametrize("key", [pem(1), b"no key at all", pem()[:-40]])
def test_a_key_that_is_not_its_own_is_refused_and_not_sent(openbao: Server, key: bytes) -> None:
    pki = make.pki(openbao)
    one = issuer(pki)
    leaf = der(settled(one, local.request())[0])
    before = len(pki.server.audited())
    with pytest.raises(Denied, match="what was given is not its private key in PEM") as error:
        one.revoke_with_key(leaf, key)
    check_sentence(error.value, "openbao", [key.decode()])
    assert len(pki.server.audited()) == before
    assert isinstance(one.status(leaf), Good)
