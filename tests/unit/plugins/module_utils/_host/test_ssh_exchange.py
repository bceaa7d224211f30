# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The key exchange of a proof against what lies, breaks off or is no SSH; test_ssh_host.py has a real sshd."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import ssh
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.ssh import Reader, string
from ansible_collections.keystead.identity.plugins.module_utils._host.ssh_exchange import shown
from ansible_collections.keystead.identity.tests.harness import local, local_ssh
from ansible_collections.keystead.identity.tests.harness.issuers import settled
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if t.TYPE_CHECKING:
    from pathlib import Path

VERSION = b"SSH-2.0-Liar"


@pytest.fixture
def certificate(tmp_path: Path) -> bytes:
    """Return a host certificate for an Ed25519 key of the tests."""
    (made,) = settled(local_ssh.issuer(tmp_path), local_ssh.request(key_type="ed25519"))
    return local_ssh.content(made)


def packet(payload: bytes) -> bytes:
    """Return a message before there are keys (RFC 4253, 6)."""
    padding = 16 - (len(payload) + 5) % 8
    return (len(payload) + 1 + padding).to_bytes(4, "big") + bytes([padding]) + payload + bytes(padding)


class Liar:
    """A server that shows a certificate and signs with any key, or says whatever it is told to say."""

    def __init__(self, certificate: bytes, key: t.Any) -> None:
        self.certificate, self.key, self.algorithms = certificate, key, Reader(certificate).string()
        self.curves = b"curve25519-sha256"
        self.cipher, self.mac, self.agreed = b"aes128-ctr", b"hmac-sha2-256", True

    def serve(self, connection: socket.socket) -> None:
        """Exchange keys (RFC 4253, 8), up to the signature."""
        with connection, connection.makefile("rb") as incoming:
            connection.sendall(b"a line before it\r\n" + VERSION + b"\r\n")
            theirs = incoming.readline().rstrip(b"\r\n")
            rest = (*[self.cipher] * 2, *[self.mac] * 2, *[b"none"] * 2, b"", b"")
            lists = (self.curves, self.algorithms, *rest)
            init = bytes([20]) + bytes(16) + b"".join(map(string, lists)) + bytes(5)
            connection.sendall(packet(b"\x02" + string(b"noise")) + packet(init))
            their_init, begun = self._message(incoming), self._message(incoming)
            reader = Reader(their_init[17:])
            named = [reader.string().split(b",") for _list in range(8)][2:]
            self.agreed = all(one in theirs for one, theirs in zip(rest, named, strict=False))
            public = Reader(begun[1:]).string()
            private = x25519.X25519PrivateKey.generate()
            ours = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            secret = private.exchange(x25519.X25519PublicKey.from_public_bytes(public)).lstrip(b"\0")
            number = b"\0" + secret if secret[0] & 0x80 else secret
            parts = (theirs, VERSION, their_init, init, self.certificate, public, ours, number)
            digest = hashlib.sha256(b"".join(map(string, parts))).digest()
            signature = string(b"ssh-ed25519") + string(self.key.sign(digest))
            connection.sendall(packet(bytes([31]) + b"".join(map(string, (self.certificate, ours, signature)))))

    @staticmethod
    def _message(incoming: t.BinaryIO) -> bytes:
        size = int.from_bytes(incoming.read(4), "big")
        body = incoming.read(size)
        return body[1 : size - body[0]]


def asked(serve: t.Callable[[socket.socket], object], certificate: bytes, seconds: float = 5) -> bytes:
    """Ask a server that this is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection = listener.accept()[0]
            try:
                serve(connection)
            except (OSError, ValueError, IndexError):
                connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with socket.create_connection(listener.getsockname(), 5) as connection:
                connection.settimeout(5)
                return shown(connection, certificate, time.monotonic() + seconds)
        finally:
            thread.join()


def test_who_has_the_key_shows_the_certificate(certificate: bytes) -> None:
    assert asked(Liar(certificate, local.key("ed25519")).serve, certificate) == certificate


def test_a_server_may_want_any_cipher_for_what_never_comes(certificate: bytes) -> None:
    liar = Liar(certificate, local.key("ed25519"))
    liar.cipher, liar.mac = b"aes192-ctr", b"umac-64@openssh.com"
    assert asked(liar.serve, certificate) == certificate
    assert liar.agreed


def test_a_server_that_speaks_slowly_gets_no_more_time_than_others(certificate: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        with connection:
            for _byte in range(1000):
                connection.sendall(b"x")
                time.sleep(0.05)

    begun = time.monotonic()
    with pytest.raises(socket.timeout):
        asked(serve, certificate, 0.5)
    assert time.monotonic() - begun < 30


def test_a_certificate_without_its_key_is_no_proof(certificate: bytes) -> None:
    with pytest.raises(Denied, match="shows a certificate without having its key"):
        asked(Liar(certificate, local.key("ed25519", 1)).serve, certificate)


def test_a_plain_key_is_no_certificate(certificate: bytes) -> None:
    liar = Liar(certificate, local.key("ed25519"))
    liar.certificate = ssh.parsed(certificate).key
    with pytest.raises(Denied, match="speaks no SSH that can be understood"):
        asked(liar.serve, certificate)


def test_a_server_that_offers_nothing_known_is_said_so(certificate: bytes) -> None:
    liar = Liar(certificate, local.key("ed25519"))
    liar.algorithms = b"ssh-ed25519,rsa-sha2-512"
    with pytest.raises(Denied, match=r"shows no certificate of this type; .*\(ssh-ed25519, rsa-sha2-512\)"):
        asked(liar.serve, certificate)
    liar.algorithms, liar.curves = Reader(certificate).string(), b"diffie-hellman-group14-sha256"
    with pytest.raises(Denied, match="no way to exchange keys that is known here"):
        asked(liar.serve, certificate)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n", "closed the connection during the key exchange, and says 'HTTP/1.1 400"),
        (b"Exceeded MaxStartups\r\n", "says 'Exceeded MaxStartups'"),
        (b"Not allowed at this time", "says 'Not allowed at this time'"),
        (b"SSH-1.5-old\r\n", "says 'SSH-1.5-old'"),
        (VERSION + b"\r\n" + b"\0\0\0\x0c\xff" + bytes(11), "speaks no SSH"),
        (b"x" * 10_000, "speaks no SSH"),
        (b"hello\n" * 1000, "speaks no SSH"),
        (VERSION + b"\r\n" + b"\xff" * 64, "speaks no SSH"),
        (VERSION + b"\r\n" + bytes(64), "speaks no SSH"),
        (VERSION + b"\r\n" + packet(b"\x14" + bytes(16)), "speaks no SSH"),
        (VERSION + b"\r\n" + packet(b"\x02") * 50, "speaks no SSH"),
        (VERSION + b"\r\n" + packet(b"\x01" + bytes(4) + string(b"too many \x1b[2J") + bytes(4)), "too many"),
    ],
)
def test_what_is_no_key_exchange_is_one_sentence(certificate: bytes, said: bytes, reason: str) -> None:
    def serve(connection: socket.socket) -> None:
        with connection:
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass

    with pytest.raises(Denied) as refused:
        asked(serve, certificate)
    assert reason in str(refused.value)
    assert str(refused.value).isprintable()
