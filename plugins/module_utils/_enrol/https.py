# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""HTTPS as an enrolment server is spoken to (RFC 7030, 3.2), by Python's own library: both halves have it.

The server is always verified, and no environment variable has a say in how. Redirects are returned, not followed.
Only where a protocol protects its messages itself (RFC 8894, 1) may HTTP be without TLS.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import select
import socket
import ssl
import typing as t

from .._core.errors import KeysteadError, Misconfigured, Unavailable
from . import tls
from .unreachable import unreachable

LARGEST = 1024 * 1024  # bytes of an answer
KEPT = ("content-type", "date", "location", "retry-after", "www-authenticate")
T = t.TypeVar("T")


class Server(t.NamedTuple):
    """Where a server is, and how it is spoken to.

    `who` begins what is said of it. `authorities` are those that may have signed its certificate, PEM; without them
    those that the system trusts. `pair` are the paths of our certificate, with its chain, and its key; `named` is the
    option that they come from. `timeout` is in seconds, and for a whole call. Without `tls`, nobody is verified.
    """

    who: str
    host: str
    port: int
    timeout: float
    authorities: str | None = None
    pair: tuple[str, str] | None = None
    named: str = ""
    tls: bool = True

    def __str__(self) -> str:
        """Say which server it is, as a message does."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Answer(t.NamedTuple):
    """The status of an answer, its headers (of KEPT, in lower case), and its body."""

    status: int
    headers: t.Mapping[str, str]
    body: bytes


def packed(answer: Answer) -> dict[str, t.Any]:
    """Return an answer as it goes up to the controller."""
    body = base64.b64encode(answer.body).decode()
    return {"status": answer.status, "headers": dict(answer.headers), "body": body}


class Within(t.Protocol):
    """Does something within so many seconds, or raises TimeoutError."""

    def __call__(self, seconds: float, work: t.Callable[[], T]) -> T: ...


class Connection:
    """One connection that is kept open between calls. `context` is made by `verifying`, if none is given."""

    def __init__(self, server: Server, within: Within, context: ssl.SSLContext | None = None) -> None:
        """Keep where; nothing is connected, and no file read."""
        self._server, self._within, self._context = server, within, context
        self._open: http.client.HTTPConnection | None = None
        self._ends = False  # whether the server was seen to end a connection that it said would stay

    def ask(self, method: str, path: str, headers: t.Mapping[str, str], body: bytes | None = None) -> Answer:
        """Return the answer to one call. Raises Misconfigured, Denied where it refuses our pair, and Unavailable."""
        server = self._server
        if self._context is None and server.tls:
            self._context = verifying(server)
        try:
            return self._within(server.timeout, lambda: self._exchange(method, path, headers, body))
        except KeysteadError:
            self._abandon()
            raise
        except Exception as error:  # noqa: BLE001 - http.client, ssl and socket all have their own
            self._abandon()
            raise unreachable(error, server) from None

    def close(self) -> None:
        """End the connection; the next call opens another one."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _abandon(self) -> None:
        """End a connection that somebody may still read from: closing it would wait for what never comes."""
        opened, self._open = self._open, None
        if opened is not None:
            hang_up(opened)

    def _opened(self) -> http.client.HTTPConnection:
        host, port, timeout = self._server.host, self._server.port, self._server.timeout
        if not self._server.tls:
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._context)

    def _exchange(self, method: str, path: str, headers: t.Mapping[str, str], body: bytes | None) -> Answer:
        """Ask on the open connection, unless the server ended it, or ends them all after an answer without a word."""
        if self._open is not None and (self._ends or is_over(self._open)):
            self._ends = True
            self.close()
        used = self._open if self._open is not None and self._open.sock is not None else None
        try:
            return self._asked(method, path, headers, body)
        except (ConnectionError, ssl.SSLEOFError):  # http.client.RemoteDisconnected is one
            if used is None or self._open is not used or method != "GET":
                raise  # what is sent again could be signed twice
            self._ends = True
            self.close()
            return self._asked(method, path, headers, body)

    def _asked(self, method: str, path: str, headers: t.Mapping[str, str], body: bytes | None) -> Answer:
        if self._open is None:
            self._open = self._opened()
        # In TLS 1.3, one that refuses our certificate says so while we still write: it is read below.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            self._open.request(method, path, body, dict(headers))
        response = self._open.getresponse()
        content = response.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Unavailable(f"{self._server.who}: its answer to {path} has more than {LARGEST} bytes; is url right?")
        if response.length:  # http.client says nothing where an end is named
            raise http.client.IncompleteRead(content, response.length)
        kept = {name: value for name in KEPT if (value := response.getheader(name)) is not None}
        return Answer(response.status, kept, content)


def hang_up(opened: http.client.HTTPConnection) -> None:
    """End a connection that another thread may read from: to close it would wait for that."""
    if opened.sock is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(opened.sock, socket.SHUT_RDWR)


def is_over(opened: http.client.HTTPConnection) -> bool:
    """Tell whether something came that nobody asked for: the end of a connection."""
    if opened.sock is None:
        return False
    waiting = select.poll()
    waiting.register(opened.sock, select.POLLIN)
    return bool(waiting.poll(0))


def verifying(server: Server) -> ssl.SSLContext:
    """Return what verifies certificate and name of a server. Raises Misconfigured."""
    context = tls.client()
    if server.authorities is None:
        tls.trust_the_system(context)
    else:
        try:
            context.load_verify_locations(cadata=server.authorities)
        except (ssl.SSLError, ValueError):
            raise Misconfigured(
                f"{server.who}: ca_bundle holds no certificates in PEM that can be read; write the path of some"
            ) from None
    if server.pair is not None:
        tls.present(context, server.pair, f"{server.who}: {server.named}")
    return context
