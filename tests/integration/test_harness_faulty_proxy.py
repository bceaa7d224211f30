# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The proxy of the tests fails as it says: seen by a client of the standard library, before a real server."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]
HEALTH = "/v1/sys/health"


@pytest.fixture
def proxy(openbao: Server) -> t.Iterator[faulty.FaultyProxy]:
    with faulty.before(openbao.url, openbao.ca_bundle, openbao.authority) as running:
        yield running


def asked(proxy: faulty.FaultyProxy, server: Server, timeout: float = 10) -> tuple[int, dict[str, str], bytes]:
    context = ssl.create_default_context(cafile=server.ca_bundle)
    client = http.client.HTTPSConnection("127.0.0.1", proxy.front.port, context=context, timeout=timeout)
    with contextlib.closing(client):
        client.request("GET", HEALTH)
        answer = client.getresponse()
        return answer.status, dict(answer.headers.items()), answer.read()


def test_it_passes_on_what_it_was_not_told_to_fail(proxy: faulty.FaultyProxy, openbao: Server) -> None:
    proxy.fail(faulty.reset, "POST")
    for _ in range(2):
        status, _headers, body = asked(proxy, openbao)
        assert (status, json.loads(body)["sealed"]) == (200, False)
    assert proxy.seen == [f"GET {HEALTH}"] * 2


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (faulty.hang, TimeoutError),
        (faulty.reset, ConnectionError),
        (faulty.lose, ConnectionError),
        (faulty.cut, http.client.IncompleteRead),
        (faulty.garbage, http.client.BadStatusLine),
    ],
)
def test_it_fails_as_often_as_it_was_told(
    proxy: faulty.FaultyProxy, openbao: Server, fault: faulty.Fault, seen: type[Exception]
) -> None:
    proxy.fail(fault, HEALTH, times=1)
    with pytest.raises(seen):
        asked(proxy, openbao, 0.5)
    assert asked(proxy, openbao)[0] == 200


def test_it_takes_a_connection_and_shakes_no_hands(proxy: faulty.FaultyProxy, openbao: Server) -> None:
    proxy.silent = True
    with pytest.raises(TimeoutError, match="handshake"):
        asked(proxy, openbao, 0.5)


def test_it_says_what_it_was_told(proxy: faulty.FaultyProxy, openbao: Server) -> None:
    proxy.fail(faulty.says(429, Retry_After="7"))
    status, headers, body = asked(proxy, openbao)
    assert (status, headers["Retry-After"], json.loads(body)) == (429, "7", {"errors": ["the proxy says 429"]})
    proxy.fail(faulty.redirect)
    status, headers, _body = asked(proxy, openbao)
    assert (status, headers["Location"]) == (307, f"http://127.0.0.1:{proxy.trap.port}{HEALTH}")


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("of another name", "IP address mismatch"),
        ("expired", "certificate has expired"),
        ("of an unknown authority", "unable to get local issuer certificate"),
    ],
)
def test_it_shows_another_certificate(openbao: Server, certificate: str, reason: str) -> None:
    with (
        faulty.before(openbao.url, openbao.ca_bundle, openbao.authority, certificate) as proxy,
        pytest.raises(ssl.SSLCertVerificationError, match=reason),
    ):
        asked(proxy, openbao)
