# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Certificates that a real OpenBao revokes several at once: by one login, in order, and none after what ends it."""

from __future__ import annotations

import threading
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Revoked
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.batch import AT_ONCE
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.issuers import Made, der, settled
from cryptography import x509

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]
MANY = 3 * AT_ONCE


@pytest.fixture(scope="module")
def pki(openbao: Server) -> make.Pki:
    return make.pki(openbao)


@pytest.fixture
def proxy(pki: make.Pki) -> Iterator[faulty.FaultyProxy]:
    with faulty.before(pki.server.url, pki.server.ca_bundle, pki.server.authority) as front:
        yield front


def issuer(pki: make.Pki, auth: dict[str, t.Any] | None = None, **said: t.Any) -> t.Any:
    return Made("openbao", t.cast("t.Any", None)).issuer(pki.options(auth, **said))


def signed(pki: make.Pki, count: int = MANY) -> list[bytes]:
    """Have so many certificates signed."""
    return [der(one) for one in settled(issuer(pki), *(local.request(number=number) for number in range(count)))]


def accessors(pki: make.Pki) -> set[str]:
    """Return what names the tokens that hold now."""
    return set(pki.call("LIST", "auth/token/accessors")["data"]["keys"])


def test_some_are_in_the_works_at_once_and_each_answer_is_in_its_place(
    pki: make.Pki, proxy: faulty.FaultyProxy, tmp_path: Path
) -> None:
    mine, together = signed(pki, MANY - 1), threading.Barrier(AT_ONCE, timeout=10)
    (stranger,) = settled(ISSUERS["local"](local.two_tiers(tmp_path)), local.request())

    def gathered(handler: faulty.Handler) -> None:
        together.wait()
        faulty.pass_on(handler)

    doomed = [*mine[:5], der(stranger), *mine[5:]]
    proxy.fail(gathered, when=f"{pki.mount}/revoke")
    answers = issuer(pki, url=proxy.url).revoke(doomed, "unspecified")
    assert [type(one) for one in answers] == [Revoked] * 5 + [Denied] + [Revoked] * (MANY - 6), answers
    numbers = [x509.load_der_x509_certificate(one).serial_number for one in mine]
    listed = x509.load_pem_x509_crl(pki.call("GET", f"{pki.mount}/cert/crl")["data"]["certificate"].encode())
    assert {one.serial_number for one in listed} >= set(numbers)


def test_a_token_that_ends_meanwhile_is_followed_by_one_login_for_all_and_no_thread_is_left(pki: make.Pki) -> None:
    auth = make.approle(pki)
    doomed, one, others = signed(pki), issuer(pki, auth), accessors(pki)
    assert isinstance(one.revoke(doomed[:1], "unspecified")[0], Revoked)
    for accessor in accessors(pki) - others:
        pki.call("POST", "auth/token/revoke-accessor", {"accessor": accessor})
    before = set(threading.enumerate())
    answers = one.revoke(doomed[1:], "unspecified")
    assert [type(each) for each in answers] == [Revoked] * (MANY - 1), answers
    assert set(threading.enumerate()) == before
    paths = [entry["request"]["path"] for entry in pki.server.audited() if entry["type"] == "request"]
    assert paths.count(f"auth/{auth['approle']['mount']}/login") == 2


def test_a_server_that_falls_silent_is_waited_for_once(pki: make.Pki, proxy: faulty.FaultyProxy) -> None:
    doomed, one = signed(pki), issuer(pki, url=proxy.url, timeout="2s")
    assert isinstance(one.revoke(doomed[:1], "unspecified")[0], Revoked)
    proxy.seen.clear()
    proxy.fail(faulty.hang)
    answers = one.revoke(doomed[1:], "unspecified")
    assert [type(each) for each in answers] == [Unavailable] * (MANY - 1)
    assert {str(each).partition(" did not ")[2] for each in answers} == {
        "answer within 2s (option timeout); run again later, or correct url"
    }
    assert len([told for told in proxy.seen if told.endswith("/revoke")]) <= AT_ONCE
    proxy.heal()
    assert [type(each) for each in one.revoke(doomed[1:], "unspecified")] == [Revoked] * (MANY - 1)
