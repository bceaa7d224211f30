# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The one way of `scepclient` to its server: what it asks goes through here, and nowhere else.

So the server is verified as everywhere in this collection, redirects are not followed, no environment has a say, the
whole has one deadline, and what the server really answered is known. What was asked before is answered from memory:
the program decides upon the very bytes that the controller will see.
"""

from __future__ import annotations

import contextlib
import http.server
import threading
import typing as t
from urllib.parse import parse_qs, urlencode, urlsplit

from .._core.errors import KeysteadError
from .https import LARGEST, Answer

if t.TYPE_CHECKING:
    from .https import Connection

SENT = ("Content-Type",)
_TO_BASE64 = str.maketrans("-_", "+/")


class Relay:
    """`asked` tells whether a request to sign was sent; `failed` is an answer to it that is none, `error` why not."""

    def __init__(self, connection: Connection, path: str, known: t.Mapping[str, Answer]) -> None:
        """Keep the way to the server, and what it answered already, by operation."""
        self._connection, self._path, self._known = connection, path, known
        self._lock = threading.Lock()
        self.asked = False
        self.failed: Answer | None = None
        self.error: KeysteadError | None = None

    @contextlib.contextmanager
    def listening(self) -> t.Iterator[str]:
        """Listen on a port of this host's loopback; yield the URL."""
        server = _Listener(("127.0.0.1", 0), _Handler)
        server.relay = self
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/scep"
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, method: str, query: str, headers: t.Mapping[str, str], body: bytes | None) -> Answer | None:
        """Return what is answered to the program; None where there is nothing."""
        (operation,) = parse_qs(query).get("operation", ["?"])[:1]
        if operation in self._known:
            return self._known[operation]
        with self._lock:  # one question, once: whoever else came here would get nothing
            if operation != "PKIOperation" or self.asked:
                return None
            self.asked = True
        try:
            found = self._connection.ask(method, f"{self._path}?{_standard(query)}", headers, body)
        except KeysteadError as error:
            self.error = error
            return None
        if found.status != 200:
            self.failed = found
        return found if found.status == 200 else None


def _standard(query: str) -> str:
    """Return the query of a GET with its message in base64 (RFC 8894, 4.1): the program writes base64url, unlike it."""
    said = {name: values[0] for name, values in parse_qs(query).items()}
    if "message" in said:
        said["message"] = said["message"].translate(_TO_BASE64)
    return urlencode(said)


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads, block_on_close = True, False
    relay: Relay

    def handle_error(self, *_arguments: t.Any) -> None:
        """Say nothing: the program went away."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Listener

    def log_message(self, *_arguments: t.Any) -> None:
        """Say nothing."""

    def _pass_on(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if 0 < size <= LARGEST else None
        headers = {name: value for name in SENT if (value := self.headers.get(name))}
        found = self.server.relay.answer(self.command, urlsplit(self.path).query, headers, body)
        self.send_response(200 if found else 502)
        if found:
            self.send_header("Content-Type", found.headers.get("content-type", ""))
            self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        if found:
            self.wfile.write(found.body)

    do_GET = do_POST = _pass_on  # noqa: N815 - as it is called
