# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Real TLS servers to prove things against, all on loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass
class Listener:
    """Answers every connection in a thread; `connections` counts them."""

    answer: t.Callable[[socket.socket], None]
    port: int = 0
    connections: int = 0
    _held: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> t.Self:
        """Listen."""
        self._socket = socket.create_server((LOOPBACK, self.port), backlog=128)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening and hang up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for held in [self._socket, *self._held]:
            held.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                self._held.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.answer(connection)


def black_hole() -> Listener:
    """Return a server that accepts and says nothing."""
    return Listener(lambda _: None)


def garbage() -> Listener:
    """Return a server that answers anything but TLS."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"\x00\xffnot TLS at all\r\n" * 4)
        connection.recv(4096)
        connection.close()

    return Listener(answer)


class TlsServer(Listener):
    """A Python TLS server, whose pair can be exchanged while it runs; `names` collects the SNI of its clients."""

    def __init__(
        self,
        pair: tuple[str, str],
        *,
        clients: bytes | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        before: t.Callable[[socket.socket], object] = lambda _: None,
    ) -> None:
        """Serve `pair` (paths) after the plain dialogue `before`; require certificates of `clients` (PEM roots)."""
        super().__init__(self._answer)
        self.names: list[str | None] = []
        self._clients, self._newest, self._before = clients, newest, before
        self.load(pair)

    def load(self, pair: tuple[str, str]) -> None:
        """Serve another pair from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = self._newest
        context.load_cert_chain(*pair)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        if self._clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self._clients.decode())
        self._context = context

    def _answer(self, connection: socket.socket) -> None:
        context = self._context
        self._before(connection)
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)


def _line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1)
    return line


def fake_smtp(connection: socket.socket) -> None:
    """Speak the part of SMTP before TLS (RFC 5321, RFC 3207)."""
    connection.sendall(b"220-mx.example.org\r\n220 ESMTP\r\n")
    while True:
        command = _line(connection).strip().upper()
        if command.startswith(b"EHLO"):
            connection.sendall(b"250-mx.example.org\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
        elif command == b"STARTTLS":
            connection.sendall(b"220 go ahead\r\n")
            return
        else:
            connection.sendall(b"502 what?\r\n")


def fake_imap(connection: socket.socket) -> None:
    """Speak the part of IMAP before TLS (RFC 9051)."""
    connection.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
    while True:
        tag, command = _line(connection).split(None, 1)
        if command.strip().upper() == b"STARTTLS":
            connection.sendall(b"* OK still here\r\n" + tag + b" OK begin\r\n")
            return
        connection.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")


def fake_ldap(connection: socket.socket, result_code: int = 0) -> None:
    """Answer one StartTLS request of LDAP, with lengths in the long form as some directories write them."""
    request = connection.recv(2)
    request += connection.recv(request[1], socket.MSG_WAITALL)
    if b"1.3.6.1.4.1.1466.20037" in request:
        response = bytes.fromhex("0a01") + bytes([result_code]) + bytes.fromhex("04000400")
        connection.sendall(b"\x30\x84\x00\x00\x00\x0c" + request[2:5] + b"\x78\x07" + response)


def fake_postgres(connection: socket.socket, answer: bytes = b"S") -> None:
    """Answer PostgreSQL's SSLRequest."""
    if connection.recv(8, socket.MSG_WAITALL) == bytes.fromhex("0000000804d2162f"):
        connection.sendall(answer)


FAKES: dict[str, t.Callable[[socket.socket], None]] = {
    "smtp": fake_smtp,
    "imap": fake_imap,
    "ldap": fake_ldap,
    "postgres": fake_postgres,
}


@contextlib.contextmanager
def program(*argv: str, port: int) -> t.Iterator[subprocess.Popen[bytes]]:
    """Run a server in the foreground from when it listens on `port` until the end of the block."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _await(port, server)
            yield server
        finally:
            server.terminate()


def _await(port: int, server: subprocess.Popen[bytes], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
            return
        time.sleep(0.02)
    message = f"{server.args!r} does not listen on {port} (exit code {server.poll()})"
    raise RuntimeError(message)


@dataclass
class Nginx:
    """A real nginx as an ordinary user would run it, with everything below `directory`."""

    directory: Path
    pair: tuple[str, str]
    port: int = field(default_factory=free_port)

    @property
    def reload(self) -> tuple[str, ...]:
        """The command that makes it load its files again."""
        return ("nginx", "-p", str(self.directory), "-c", str(self.directory / "nginx.conf"), "-s", "reload")

    @contextlib.contextmanager
    def running(self) -> t.Iterator[Nginx]:
        """Run it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "nginx.conf").write_text(self._configuration(), encoding="utf-8")
        with program(*self.reload[:-2], port=self.port):
            yield self

    def _configuration(self) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "\n".join(f"{kind}_temp_path {self.directory}/{kind};" for kind in kinds)
        return f"""
daemon off; worker_processes 1; pid {self.directory}/nginx.pid; error_log {self.directory}/error.log;
events {{}}
http {{
access_log off; {temporary}
server {{
listen {LOOPBACK}:{self.port} ssl; ssl_certificate {self.pair[0]}; ssl_certificate_key {self.pair[1]};
}}
}}
"""
