# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The relay between scepclient and its server: it passes one request to sign on, and what was asked before it knows."""

from __future__ import annotations

import http.client
import http.server
import threading
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._enrol.deadline import within
from ansible_collections.keystead.identity.plugins.module_utils._enrol.https import Answer, Connection, Server
from ansible_collections.keystead.identity.plugins.module_utils._enrol.scep_relay import Relay

SIGNS = "/scep?operation=PKIOperation"
KNOWN = {"GetCACert": Answer(200, {"content-type": "application/x-x509-ca-cert"}, b"authority")}


class Far(http.server.BaseHTTPRequestHandler):
    """A server that answers what it is asked."""

    server: t.Any

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self.server.seen.append((self.command, self.path, self.rfile.read(size)))
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/x-pki-message")
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"answered")

    do_GET = do_POST = _answer  # noqa: N815 - as it is called


@pytest.fixture
def far() -> t.Iterator[t.Any]:
    server: t.Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Far)
    server.seen, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def relay(far: t.Any) -> Relay:
    """Return a relay to it, at another path."""
    there = Server("scep", "127.0.0.1", far.server_address[1], 5.0, tls=False)
    return Relay(Connection(there, within), "/certsrv/mscep.dll", KNOWN)


def ask(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Ask the relay, as the program does."""
    connection = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_listens_on_loopback_only_and_knows_what_was_asked_before(far: t.Any) -> None:
    with relay(far).listening() as url:
        assert urlsplit(url).hostname == "127.0.0.1"
        assert ask(url, "GET", "/scep?operation=GetCACert") == (200, b"authority")
    assert far.seen == []
    with pytest.raises(ConnectionRefusedError):
        ask(url, "GET", "/scep?operation=GetCACert")


def test_one_request_to_sign_goes_on_and_nothing_else_does(far: t.Any) -> None:
    one = relay(far)
    with one.listening() as url:
        for path in ("/scep?operation=GetNextCACert", "/", "/scep?operation=", "/etc/passwd"):
            assert ask(url, "GET", path) == (502, b"")
        assert (one.asked, far.seen) == (False, [])
        assert ask(url, "POST", SIGNS, b"message") == (200, b"answered")
        assert ask(url, "POST", SIGNS, b"another") == (502, b"")
    assert (one.asked, one.failed, one.error) == (True, None, None)
    assert far.seen == [("POST", "/certsrv/mscep.dll?operation=PKIOperation", b"message")]


def test_an_answer_that_is_none_is_kept_and_not_shown_to_the_program(far: t.Any) -> None:
    one, far.status = relay(far), 429
    with one.listening() as url:
        assert ask(url, "POST", SIGNS, b"message") == (502, b"")
    assert one.failed
    assert (one.failed.status, one.failed.body) == (429, b"answered")


def test_a_server_that_is_gone_is_an_error_that_is_kept(far: t.Any) -> None:
    one = relay(far)
    far.shutdown()  # else its thread may take the connection that is then reset
    far.server_close()
    with one.listening() as url:
        assert ask(url, "POST", SIGNS, b"message") == (502, b"")
    assert "accepts no connection" in str(one.error)


def test_a_message_in_base64url_goes_on_in_base64(far: t.Any) -> None:
    with relay(far).listening() as url:
        assert ask(url, "GET", f"{SIGNS}&message=-_8%3D") == (200, b"answered")
    ((_method, path, _body),) = far.seen
    assert parse_qs(urlsplit(path).query)["message"] == ["+/8="]


def test_a_length_that_is_none_ends_that_connection_alone(far: t.Any) -> None:
    with relay(far).listening() as url:
        connection = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=10)
        connection.putrequest("POST", SIGNS)
        connection.putheader("Content-Length", "many")
        connection.endheaders()
        with pytest.raises(http.client.HTTPException):
            connection.getresponse()
        connection.close()
        assert ask(url, "POST", SIGNS, b"message") == (200, b"answered")
