# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real SCEP server (RFC 8894), micromdm's scepserver, and its scepclient.

The server listens on every interface and cannot be told otherwise, so it lives in a network namespace of its own, and
whoever speaks to it goes there, or to a port of the loopback interface here that leads there.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import shlex
import socket
import socketserver
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

CHALLENGE = "open, sesame"
PORT = 8080
PATH = "/scep"
BASE = f"http://127.0.0.1:{PORT}{PATH}"
CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Scep:
    """A running server: its process, its directory, and its authority."""

    pid: int
    depot: Path
    authority: x509.Certificate
    root: x509.Certificate  # above its authority; the same one where that signed itself
    url: str = ""  # where it is reached from here, without its path

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its authority's certificate, in hexadecimal."""
        return self.authority.fingerprint(hashes.SHA256()).hex()

    def inside(self, *argv: str, **said: t.Any) -> subprocess.CompletedProcess[bytes]:
        """Run a program where the server can be reached."""
        command = ["nsenter", "--target", str(self.pid), "--net", *argv]
        return subprocess.run(command, capture_output=True, timeout=60, check=False, **said)

    def index(self) -> list[str]:
        """Return the state of what was signed: V or R, and the subject."""
        lines = (self.depot / "index.txt").read_text(encoding="utf-8").splitlines()
        return [f"{line[0]} {line.rpartition(chr(9))[2]}" for line in lines]


def enrol(
    scep: Scep, directory: Path, files: t.Mapping[str, bytes], *more: str, fingerprint: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run scepclient in a directory where these files are links to memory: no secret touches a disk.

    It takes `csr.pem` beside its key as it is, and with a certificate there it renews.
    """
    held: list[int] = []
    try:
        for name, content in files.items():
            held.append(os.memfd_create(name, 0))
            os.write(held[-1], content)
            (directory / name).symlink_to(f"/proc/self/fd/{held[-1]}")
        return scep.inside(
            "scepclient", "-server-url", BASE, "-private-key", str(directory / "key.pem"), "-certificate",
            str(directory / "client.pem"), "-ca-fingerprint", fingerprint or scep.fingerprint, *more,
            pass_fds=tuple(held), env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
    finally:
        for descriptor in held:
            os.close(descriptor)
        for name in files:
            (directory / name).unlink(missing_ok=True)


def permitting(directory: Path, domain: str) -> str:
    """Write a program that permits requests for names below a domain alone; return what makes the server ask it."""
    program = directory / "verify"
    names = f"tr ',' '\\n' | grep -o 'DNS:.*' | grep -qv '\\.{domain}$'"
    program.write_text(f"#!/bin/sh\n! openssl req -inform DER -noout -text | {names}\n", encoding="ascii")
    program.chmod(0o755)
    return f"-csrverifierexec {shlex.quote(str(program))}"


@contextlib.contextmanager
def running(
    directory: Path, more: str = "", days: int = 30, *, below: bool = False, challenge: str = CHALLENGE
) -> t.Iterator[Scep]:
    """Run a server with an authority of its own, which signs for some days and renews at any time.

    Where it is to be `below` a root, its key gets another certificate of the same name.
    """
    depot = directory / "depot"
    made = ["scepserver", "ca", "-init", "-depot", str(depot), "-keySize", "2048", "-organization", "Example"]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    authority = root = x509.load_pem_x509_certificate((depot / "ca.pem").read_bytes())
    if below:
        authority, root = _signed_anew(root)
        (depot / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    where, secret = shlex.quote(str(depot)), shlex.quote(challenge)
    said = f"-depot {where} -port {PORT} -challenge {secret} -crtvalid {days} -allowrenew 0"
    command = ["unshare", "--net", "sh", "-c", f"ip link set lo up && exec scepserver {said} {more}"]
    with (directory / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            scep = Scep(process.pid, depot, authority, root)
            _await(scep, process)
            with _reached(process.pid) as port:
                yield replace(scep, url=f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _signed_anew(authority: x509.Certificate) -> tuple[x509.Certificate, x509.Certificate]:
    """Return a certificate for the key of an authority, and the root that signed it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scep root")])
    made = []
    for subject, public_key in ((authority.subject, authority.public_key()), (name, key.public_key())):
        builder = x509.CertificateBuilder(name, subject, t.cast("t.Any", public_key), x509.random_serial_number())
        builder = builder.not_valid_before(authority.not_valid_before_utc)
        builder = builder.not_valid_after(authority.not_valid_after_utc)
        for extension in authority.extensions:
            if not isinstance(extension.value, (x509.AuthorityKeyIdentifier, x509.SubjectKeyIdentifier)):
                builder = builder.add_extension(extension.value, extension.critical)
        identifier = x509.SubjectKeyIdentifier.from_public_key(t.cast("t.Any", public_key))
        made.append(builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256()))
    return made[0], made[1]


def _await(scep: Scep, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while scep.inside("curl", "--silent", f"{BASE}?operation=GetCACaps").stdout == b"":
        assert process.poll() is None, "it ended"
        assert time.monotonic() < until, "it does not answer"
        time.sleep(0.05)


@contextlib.contextmanager
def _reached(pid: int) -> t.Iterator[int]:
    """Listen on loopback here, and pass what comes on into the network namespace of a process; yield the port."""
    listener = _Relay(("127.0.0.1", 0), _Passing)
    with Path(f"/proc/{pid}/ns/net").open("rb") as there:
        listener.there = there.fileno()
        thread = threading.Thread(target=functools.partial(listener.serve_forever, 0.02), daemon=True)
        thread.start()
        try:
            yield int(listener.server_address[1])
        finally:
            listener.shutdown()
            listener.server_close()
            thread.join()


class _Relay(socketserver.ThreadingTCPServer):
    daemon_threads, block_on_close, allow_reuse_address = True, False, True
    there: int

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients go away here as they should."""


class _Passing(socketserver.BaseRequestHandler):
    server: _Relay

    def handle(self) -> None:
        """Go there with this thread, which ends with the connection: a socket stays where it was made."""
        if ctypes.CDLL(None, use_errno=True).setns(self.server.there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        with socket.create_connection(("127.0.0.1", PORT), timeout=30) as server:
            server.settimeout(None)
            back = threading.Thread(target=_pump, args=(server, self.request), daemon=True)
            back.start()
            _pump(self.request, server)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
