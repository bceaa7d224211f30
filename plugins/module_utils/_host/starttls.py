# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Asks a server of another protocol to begin TLS: SMTP, IMAP, LDAP, PostgreSQL.

Answers are read byte by byte up to their end and no further: what follows belongs to TLS (no injected plain text).
"""

from __future__ import annotations

import socket
import struct
import time
import typing as t

from .._core.errors import Denied
from .text import last_line

LONGEST_LINE = 4096
MOST_LINES = 100
LARGEST_MESSAGE = 65536
IMAP_TAG = b"k1"
LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"  # RFC 4511, 4.14.1
POSTGRES_REQUEST = struct.pack("!ii", 8, 80877103)  # PostgreSQL protocol 3.0, SSLRequest


def begin_tls(sock: socket.socket, protocol: str, deadline: float) -> None:
    """Speak `protocol` until the server is ready for a ClientHello.

    Raises Denied when it refuses, `socket.timeout` at the deadline, other OSErrors as they come.
    """
    DIALOGUES[protocol](_Wire(sock, protocol, deadline))


class _Wire:
    """A connection that is read exactly, in time, and within bounds."""

    def __init__(self, sock: socket.socket, protocol: str, deadline: float) -> None:
        self._sock = sock
        self._protocol = protocol
        self._deadline = deadline

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def read(self, count: int) -> bytes:
        """Return exactly `count` bytes."""
        data = b""
        while len(data) < count:
            self._sock.settimeout(seconds_left(self._deadline))
            received = self._sock.recv(count - len(data))
            if not received:
                raise self.denied("it closed the connection")
            data += received
        return data

    def line(self) -> bytes:
        """Return one line with its end."""
        line = b""
        while not line.endswith(b"\n"):
            if len(line) > LONGEST_LINE:
                raise self.denied("it answered an endless line")
            line += self.read(1)
        return line

    def lines(self) -> t.Iterator[bytes]:
        """Yield a sensible number of lines."""
        for _line in range(MOST_LINES):
            yield self.line()
        raise self.denied("it answered endless lines")

    def denied(self, why: str | bytes) -> Denied:
        """Return the error that says why there will be no TLS."""
        return Denied(f"{self._protocol}: no STARTTLS ({last_line(why) if isinstance(why, bytes) else why})")


def _smtp(wire: _Wire) -> None:
    """RFC 3207 and RFC 5321, 4.2: replies are lines `250-text`, the last one `250 text`."""
    for command, code in ((b"", b"220"), (b"EHLO localhost\r\n", b"250"), (b"STARTTLS\r\n", b"220")):
        wire.send(command)
        reply = next(line for line in wire.lines() if line[3:4] != b"-")
        if reply[:3] != code:
            raise wire.denied(reply)


def _imap(wire: _Wire) -> None:
    """RFC 9051, 6.2.1 (RFC 3501 the same): a server that greets with PREAUTH is past STARTTLS."""
    greeting = wire.line()
    if not greeting.upper().startswith(b"* OK"):
        raise wire.denied(greeting)
    wire.send(IMAP_TAG + b" STARTTLS\r\n")
    reply = next(line for line in wire.lines() if line.startswith(IMAP_TAG + b" "))
    if not reply.upper().startswith(IMAP_TAG.upper() + b" OK"):
        raise wire.denied(reply)


def _ldap(wire: _Wire) -> None:
    """RFC 4511, 4.14: an ExtendedResponse with resultCode 0 is the go-ahead."""
    wire.send(LDAP_REQUEST)
    message = _read_element(wire)
    tag, response, _controls = _split(_split(message)[2])
    kind, result_code, _rest = _split(response)
    if (tag, kind) != (0x78, 0x0A):
        raise wire.denied("it answered something else than an ExtendedResponse")
    if result_code != b"\x00":
        raise wire.denied(f"result code {result_code.hex()}")


def _read_element(wire: _Wire) -> bytes:
    """Read one BER element (X.690, 8.1) with a definite length, and return its content."""
    length = wire.read(2)[1]
    if length & 0x80:
        length = int.from_bytes(wire.read(min(length & 0x7F, 8)), "big")
    if length > LARGEST_MESSAGE:
        raise wire.denied("it answered megabytes")
    return wire.read(length)


def _split(data: bytes) -> tuple[int, bytes, bytes]:
    """Return tag, content and what follows of the first BER element; nonsense gives a tag or content of nothing."""
    head, length = 2, int.from_bytes(data[1:2], "big")
    if length & 0x80:
        head += length & 0x7F
        length = int.from_bytes(data[2:head], "big")
    return int.from_bytes(data[:1], "big"), data[head : head + length], data[head + length :]


def _postgres(wire: _Wire) -> None:
    """PostgreSQL 55.2.10: one byte, S for go ahead, N for no; nothing else may come with it."""
    wire.send(POSTGRES_REQUEST)
    if wire.read(1) != b"S":
        raise wire.denied("the server has ssl = off")


def seconds_left(deadline: float) -> float:
    """Return the seconds until `deadline` (of `time.monotonic`); raise `socket.timeout` when it is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout(0, "timed out")
    return left


DIALOGUES: t.Mapping[str, t.Callable[[_Wire], None]] = {
    "smtp": _smtp,
    "imap": _imap,
    "ldap": _ldap,
    "postgres": _postgres,
}
