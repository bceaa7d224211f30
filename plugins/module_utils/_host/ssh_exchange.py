# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The beginning of SSH as a client: a server shows its certificate and signs with its key (RFC 4253, 4 to 8; RFC 8731).

It ends before anybody would log in. Nothing is encrypted by then, so this is all of SSH that a proof needs.
"""

from __future__ import annotations

import hashlib
import os
import typing as t

from .._core import ssh
from .._core.errors import Denied, printable
from .._core.pki import UNREADABLE
from .._core.ssh import Reader, string
from .starttls import seconds_left

if t.TYPE_CHECKING:
    import socket

VERSION = b"SSH-2.0-keystead"
DISCONNECT, IGNORE, DEBUG, KEXINIT, KEX_INIT, KEX_REPLY = 1, 2, 4, 20, 30, 31
LARGEST, LONGEST_LINE, MOST_LINES, MOST_MESSAGES = 35000, 255, 50, 20  # RFC 4253, 4.2 and 6.1
_CURVES = (b"curve25519-sha256", b"curve25519-sha256@libssh.org", b"ecdh-sha2-nistp256")
_BEFORE, _ECHOED = 2, 6  # of the lists of RFC 4253, 7.1: ours, and what it says of ciphers, MACs and compression
_OF_RSA = (b"rsa-sha2-512-cert-v01@openssh.com", b"rsa-sha2-256-cert-v01@openssh.com")


def shown(connection: socket.socket, ours: bytes, deadline: float) -> bytes:
    """Return the certificate that a server shows where it is asked for one like ours, once it signed with its key.

    Raises OSError, `socket.timeout` at the deadline (of time.monotonic), and Denied with what follows the name of the
    server.
    """
    try:
        return _shown(_Packets(connection, deadline), ours)
    except UNREADABLE:
        raise Denied("speaks no SSH that can be understood") from None


class _Packets:
    """Messages before there are keys (RFC 4253, 6)."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline, self._held, self._told = connection, deadline, b"", b""

    def version(self) -> bytes:
        """Exchange versions (RFC 4253, 4.2), and return the server's."""
        self._connection.sendall(VERSION + b"\r\n")
        for _line in range(MOST_LINES):
            while b"\n" not in self._held:
                if len(self._held) > LONGEST_LINE:
                    raise ValueError("no line")
                self._receive()
            line, _newline, self._held = self._held.partition(b"\n")
            if line.startswith((b"SSH-2.0-", b"SSH-1.99-")):
                self._told = b""
                return line.rstrip(b"\r")
            self._told = line.rstrip(b"\r")
        raise ValueError("no version")

    def send(self, payload: bytes) -> None:
        """Send one message."""
        padding = 8 - (len(payload) + 5) % 8
        padding += 8 if padding < 4 else 0
        body = bytes([padding]) + payload + os.urandom(padding)
        self._connection.sendall(len(body).to_bytes(4, "big") + body)

    def receive(self) -> bytes:
        """Return the next message that says anything. Raises Denied where the server ends it."""
        for _message in range(MOST_MESSAGES):
            payload = self._packet()
            if payload[0] == DISCONNECT:
                reason = Reader(payload[5:]).string().decode("utf-8", "replace")
                raise Denied(f"ended the key exchange ({reason[:200]})")
            if payload[0] not in (IGNORE, DEBUG):
                return payload
        raise ValueError("nothing but noise")

    def _packet(self) -> bytes:
        size = int.from_bytes(self._take(4), "big")
        if not 5 < size <= LARGEST:
            raise ValueError("no packet")
        body = self._take(size)
        payload = body[1 : max(0, size - body[0])]
        if not payload:
            raise ValueError("an empty packet")
        return payload

    def _take(self, count: int) -> bytes:
        while len(self._held) < count:
            self._receive()
        found, self._held = self._held[:count], self._held[count:]
        return found

    def _receive(self) -> None:
        self._connection.settimeout(seconds_left(self._deadline))
        try:
            more = self._connection.recv(8192)
        except ConnectionResetError:  # so does who does not wait for what we say
            more = b""
        if not more:
            told = printable((self._told or self._held).decode("utf-8", "replace").strip())
            said = f", and says {told[:200]!r}" if told else ""
            raise Denied(f"closed the connection during the key exchange{said}")
        self._held += more


def _shown(packets: _Packets, ours: bytes) -> bytes:
    wanted = _algorithms(ours)
    theirs = packets.version()
    their_init = packets.receive()
    curve = _agreed(their_init, wanted)
    init = _kexinit(b",".join(wanted), their_init)
    packets.send(init)
    private, public = _ephemeral(curve)
    packets.send(bytes([KEX_INIT]) + string(public))
    reply = packets.receive()
    if reply[0] != KEX_REPLY:
        raise ValueError("no reply")
    reader = Reader(reply[1:])
    key, their_public, signature = reader.string(), reader.string(), reader.string()
    parts = (VERSION, theirs, init, their_init, key, public, their_public)
    secret = _mpint(_secret(curve, private, their_public))
    exchange = hashlib.sha256(b"".join(map(string, parts)) + secret).digest()
    _check_signed(key, signature, exchange)
    return key


def _algorithms(ours: bytes) -> tuple[bytes, ...]:
    """Return the host key algorithms of certificates like ours (RFC 8332, 3; PROTOCOL.certkeys)."""
    name = Reader(ours).string()
    return _OF_RSA if name.startswith(b"ssh-rsa") else (name,)


def _kexinit(algorithms: bytes, theirs: bytes) -> bytes:
    """Return what is known here. It ends before anything is encrypted, so of that all is, which the server names."""
    reader = Reader(theirs[17:])
    named = [reader.string() for _list in range(_BEFORE + _ECHOED)][_BEFORE:]
    lists = (b",".join(_CURVES), algorithms, *named, b"", b"")
    return bytes([KEXINIT]) + os.urandom(16) + b"".join(map(string, lists)) + b"\0" + bytes(4)


def _agreed(their_init: bytes, wanted: t.Sequence[bytes]) -> bytes:
    """Return the curve: the first of ours that the server has too (RFC 4253, 7.1)."""
    if their_init[0] != KEXINIT:
        raise ValueError("no list of algorithms")
    reader = Reader(their_init[17:])
    curves, algorithms = (reader.string().split(b",") for _list in range(2))
    if not set(wanted) & set(algorithms):
        offered = b", ".join(algorithms).decode("ascii", "replace")[:300]
        raise Denied(f"shows no certificate of this type; HostCertificate is not set or not read there ({offered})")
    for curve in _CURVES:
        if curve in curves:
            return curve
    raise Denied("has no way to exchange keys that is known here; use prove.command")


def _ephemeral(curve: bytes) -> tuple[t.Any, bytes]:
    from cryptography.hazmat.primitives.asymmetric import ec, x25519
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if curve.startswith(b"curve25519"):
        private = x25519.X25519PrivateKey.generate()
        return private, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    other = ec.generate_private_key(ec.SECP256R1())
    return other, other.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _secret(curve: bytes, private: t.Any, public: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, x25519

    if curve.startswith(b"curve25519"):
        found: bytes = private.exchange(x25519.X25519PublicKey.from_public_bytes(public))
        return found
    shared: bytes = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public))
    return shared


def _mpint(unsigned: bytes) -> bytes:
    """Return a positive number as it is written (RFC 4251, 5)."""
    content = unsigned.lstrip(b"\0")
    return string(b"\0" + content if content and content[0] & 0x80 else content)


def _check_signed(certificate: bytes, signature: bytes, exchange: bytes) -> None:
    """Check that the server has the key of what it shows. Raises Denied, or ValueError for what is none."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    reader = Reader(signature)
    name, content = reader.string(), reader.string()
    key: t.Any = load_ssh_public_key(ssh.as_text(ssh.parsed(certificate).key))
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(content, exchange, padding.PKCS1v15(), SHA512() if name == b"rsa-sha2-512" else SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            numbers = Reader(content)
            r, s = (int.from_bytes(numbers.string(), "big") for _number in range(2))
            hashing = {256: SHA256, 384: SHA384}.get(key.key_size, SHA512)
            key.verify(utils.encode_dss_signature(r, s), exchange, ec.ECDSA(hashing()))
        else:
            key.verify(content, exchange)
    except InvalidSignature:
        raise Denied("shows a certificate without having its key") from None
