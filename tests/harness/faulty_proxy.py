# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A front of a real HTTPS server that passes everything on, until it is told how to fail.

A fault strikes the requests whose method and path (and operation, which AWS has in a header) contain a text, as often
as it is told to. Certificates are another thing: with which one it presents itself is decided when it is made.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import http.server
import json
import os
import socket
import socketserver
import ssl
import struct
import threading
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request

import trustme

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

OURS = ("connection", "content-length", "date", "host", "server", "transfer-encoding")  # of each hop's own

NEVER = 20.0  # seconds: longer than any deadline of a test, and a test without one fails in the end


class Reply(t.NamedTuple):
    """An answer of HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: _Front

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def setup(self) -> None:
        """Speak TLS; a client that does not like our certificate goes away here."""
        if self.server.proxy.silent:
            self.server.proxy.stopping.wait(NEVER)
            raise ConnectionAbortedError
        if self.server.context:
            self.request.settimeout(30)
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def _answer(self) -> None:
        proxy = self.server.proxy
        told = " ".join((self.command, self.path, *filter(None, [self.headers.get("X-Amz-Target")])))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy.seen.append(told)
        (hang if proxy.silent else proxy.fault_for(told))(self)  # what shook hands before is kept open by some clients

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_LIST = do_HEAD = _answer  # noqa: N815 - as it is called

    def reply(self, reply: Reply) -> None:
        """Send an answer whole."""
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def forward(self) -> Reply:
        """Ask the real server."""
        return self.server.proxy.ask(self.command, self.path, dict(self.headers), self.body)

    def drop(self) -> None:
        """Reset the connection (RST): what was not sent yet is lost."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.wfile = self.rfile = t.cast("t.Any", open(os.devnull, "r+b"))  # noqa: PTH123, SIM115 - closed by finish


class _Front(socketserver.ThreadingTCPServer):
    daemon_threads, block_on_close, allow_reuse_address = True, False, True

    def __init__(self, proxy: FaultyProxy, context: ssl.SSLContext | None, handler: type) -> None:
        self.proxy, self.context = proxy, context
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients go away here as they should."""

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Trap(socketserver.BaseRequestHandler):
    """What listens without TLS, where nobody who holds a credential may go."""

    server: _Front

    def handle(self) -> None:
        self.server.proxy.trapped.append(self.request.recv(65536))


Fault = t.Callable[[Handler], None]


def pass_on(handler: Handler) -> None:
    """Be no fault at all."""
    handler.reply(handler.forward())


def hang(handler: Handler) -> None:
    """Never answer."""
    handler.server.proxy.stopping.wait(NEVER)
    handler.drop()


def drip(handler: Handler) -> None:
    """Answer so slowly that no single read times out, and the whole never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    end = time.monotonic() + NEVER
    while time.monotonic() < end and not handler.server.proxy.stopping.wait(0.1):
        handler.wfile.write(b" ")
    handler.drop()


def reset(handler: Handler) -> None:
    """Reset the connection, with nothing done."""
    handler.drop()


def lose(handler: Handler) -> None:
    """Let the real server do what was asked, and lose its answer."""
    handler.forward()
    handler.drop()


def cut(handler: Handler) -> None:
    """Send the head and half of the body of the real answer, and close."""
    reply = handler.forward()
    handler.close_connection = True
    handler.wfile.write(f"HTTP/1.1 {reply.status} OK\r\nContent-Length: {len(reply.body)}\r\n\r\n".encode())
    handler.wfile.write(reply.body[: len(reply.body) // 2])


def garbage(handler: Handler) -> None:
    """Answer what is no HTTP."""
    handler.close_connection = True
    handler.wfile.write(bytes(range(256)) * 8)


def says(status: int, body: str | Mapping[str, t.Any] | None = None, **headers: str) -> Fault:
    """Answer with a status; an underscore in the name of a header stands for a hyphen."""
    content = body if isinstance(body, str) else json.dumps(body or {"errors": [f"the proxy says {status}"]})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(Reply(status, named, content.encode()))


def after(count: int, fault: Fault) -> Fault:
    """Pass so many requests on, and be a fault from then on."""
    fine = iter([pass_on] * count)

    def one(handler: Handler) -> None:
        next(fine, fault)(handler)

    return one


def redirect(handler: Handler) -> None:
    """Send the client to a place without TLS."""
    place = f"http://127.0.0.1:{handler.server.proxy.trap.port}{handler.path}"
    handler.reply(Reply(307, {"Location": place}, b""))


class FaultyProxy:
    """See above. `seen` are methods and paths that came, `trapped` what was sent without TLS."""

    def __init__(self, upstream: str, ca_bundle: Path, certificate: trustme.LeafCert | None) -> None:
        """Stand before `upstream`, whose authority is in `ca_bundle`; without a certificate, do not speak TLS."""
        self._upstream, self._tls = upstream, ssl.create_default_context(cafile=ca_bundle)
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
        self.seen: list[str] = []
        self.trapped: list[bytes] = []
        self.silent = False  # takes connections, and does not even shake hands
        self.stopping = threading.Event()
        self._lock, self._fault, self._when, self._left = threading.Lock(), pass_on, "", 0
        self.front, self.trap = _Front(self, context, Handler), _Front(self, None, _Trap)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.front.port}"

    def fail(self, fault: Fault, when: str = "", times: int = 1_000_000) -> None:
        """Let a fault strike the next requests whose `METHOD path` contains `when`, and no other fault any more."""
        with self._lock:
            self._fault, self._when, self._left = fault, when, times

    def heal(self) -> None:
        """Pass everything on."""
        self.fail(pass_on)

    def fault_for(self, told: str) -> Fault:
        """Return what to do with a request."""
        with self._lock:
            if self._when not in told or not self._left:
                return pass_on
            self._left -= 1
            return self._fault

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Return what the real server answers."""
        kept = {name: value for name, value in headers.items() if name.lower() not in OURS or name.lower() == "host"}
        request = urllib.request.Request(self._upstream + path, body or None, kept, method=method)  # noqa: S310
        handlers = urllib.request.HTTPSHandler(context=self._tls), urllib.request.ProxyHandler({}), _Stay()
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=60) as answer:
                return _reply(answer)
        except urllib.error.HTTPError as error:
            with error:
                return _reply(error)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: object) -> None:
        """Follow nobody: a redirect is the client's to judge."""


def _reply(answer: t.Any) -> Reply:
    headers: dict[str, str] = {}
    for name, value in answer.headers.items():
        if name.lower() not in OURS:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value  # RFC 9110, 5.3
    return Reply(answer.status, headers, answer.read())


def _days(number: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=number)


CERTIFICATES: dict[str, Callable[[trustme.CA], trustme.LeafCert]] = {
    "good": lambda authority: authority.issue_cert("127.0.0.1"),
    "of another name": lambda authority: authority.issue_cert("other.example.org"),
    "expired": lambda authority: authority.issue_cert("127.0.0.1", not_before=_days(-9), not_after=_days(-1)),
    "of an unknown authority": lambda _authority: trustme.CA().issue_cert("127.0.0.1"),
}


@contextlib.contextmanager
def before(
    upstream: str, ca_bundle: Path, authority: trustme.CA, certificate: str = "good", *, tls: bool = True
) -> Iterator[FaultyProxy]:
    """Run a proxy before a server with a certificate (a key of CERTIFICATES) of an authority, or without TLS."""
    proxy = FaultyProxy(upstream, ca_bundle, CERTIFICATES[certificate](authority) if tls else None)
    fronts = proxy.front, proxy.trap
    threads = [threading.Thread(target=functools.partial(one.serve_forever, 0.02), daemon=True) for one in fronts]
    for thread in threads:
        thread.start()
    try:
        yield proxy
    finally:
        proxy.stopping.set()
        for one in fronts:
            one.shutdown()
            one.server_close()
        for thread in threads:
            thread.join()
