# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small TLS server with the manners of a real one: it refuses to start with an identity that it cannot use.

restart DIRECTORY PORT [--only-ecdsa]   end the old one, start a new one, succeed when that one listens
stop DIRECTORY                          end it
look PORT NAME ROOTS [LIST]             be a client: verify what is served, also by a revocation list, and print it

DIRECTORY holds tls.crt and tls.key, and gets server.pid (locked by the server as long as it lives) and server.log.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LOOPBACK = "127.0.0.1"
PATIENCE = 5.0  # seconds


def serve(directory: Path, port: int, *, only_ecdsa: bool) -> None:
    """Load the identity or say why not; then answer until somebody ends it."""
    key = load_pem_private_key((directory / "tls.key").read_bytes(), None)
    if only_ecdsa and not isinstance(key, EllipticCurvePrivateKey):
        sys.exit(f"this old server knows ECDSA keys only, and tls.key is {type(key).__name__}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    except OSError as error:
        sys.exit(f"the identity cannot be used: {error}")

    class Handshake(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError), context.wrap_socket(self.request, server_side=True) as connection:
                connection.recv(1)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with (directory / "server.pid").open("r+") as alive, Server((LOOPBACK, port), Handshake) as server:
        fcntl.flock(alive, fcntl.LOCK_EX)
        alive.write(f"{os.getpid()}\n")
        alive.flush()
        server.serve_forever()


def stop(directory: Path) -> None:
    """End the server that holds the lock, if any, and wait until it is gone."""
    with (directory / "server.pid").open("a+") as alive:
        for _ in within(PATIENCE):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
                alive.truncate(0)
                return
            alive.seek(0)
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(alive.read()), signal.SIGTERM)
        sys.exit("the old server does not end")


def start(directory: Path, port: int, *flags: str) -> None:
    """Start a server in a session of its own, and wait until it listens or has given up."""
    with (directory / "server.log").open("a+b") as log:
        argv = [sys.executable, __file__, "serve", str(directory), str(port), *flags]
        server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
        for _ in within(PATIENCE):
            if server.poll() is not None:
                log.seek(0)
                sys.exit(log.read().decode().splitlines()[-1])
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), PATIENCE):
                return
    sys.exit("the server does not listen")


def look(port: int, name: str, roots: str, revoked: str | None = None) -> None:
    """Print who answers for `name`, verified against `roots`; fail when that cannot be verified, or is revoked."""
    context = ssl.create_default_context(cafile=roots)
    if revoked is not None:
        context.load_verify_locations(revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    try:
        with (
            socket.create_connection((LOOPBACK, port), PATIENCE) as raw,
            context.wrap_socket(raw, server_hostname=name) as connection,
        ):
            seen: dict[str, t.Any] = connection.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        sys.exit(f"whoever answers for {name} is refused: {error.verify_message}")
    names = " ".join(value for _, value in seen["subjectAltName"])
    print(f"{name} proves itself: serial {seen['serialNumber'][:8]}.., names {names}, until {seen['notAfter']}")


def within(seconds: float) -> t.Iterator[None]:
    """Yield every 20 ms until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)


def main(action: str, *arguments: str) -> None:
    """Do what the first word says."""
    if action == "look":
        look(int(arguments[0]), *arguments[1:])
        return
    directory = Path(arguments[0])
    if action == "serve":
        serve(directory, int(arguments[1]), only_ecdsa="--only-ecdsa" in arguments)
        return
    stop(directory)
    if action == "restart":
        start(directory, int(arguments[1]), *arguments[2:])


if __name__ == "__main__":
    main(*sys.argv[1:])
