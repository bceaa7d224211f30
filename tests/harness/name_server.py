# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A stand-in for a primary name server, for tests only: none can be had with what they install.

It has the zones example.org and below.example.org. What it knows of DNS is dnspython's: messages, TSIG (RFC 8945),
updates (RFC 2136). Every name has the address 127.0.0.1. It keeps TXT records, and every update that it took.
"""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
import time
import typing as t

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig

ZONE, BELOW = dns.name.from_text("example.org"), dns.name.from_text("below.example.org")
KEY_NAME, SECRET = "acme-key.", "NoRpJbq0rEPgmIWuq3zmRa4Mgk3eVFOVjfJi3WcaGhk="
_SOA = "ns.example.org. ops.example.org. 1 60 60 600 60"


class NameServer:
    """It listens on one port by UDP and TCP. `taken` are the names and verbs of updates."""

    def __init__(self) -> None:
        """Begin with an empty zone."""
        self.keyring = {dns.name.from_text(KEY_NAME): dns.tsig.Key(KEY_NAME, SECRET, dns.tsig.HMAC_SHA256)}
        self.texts: dict[dns.name.Name, set[str]] = {}
        self.taken: list[tuple[str, str]] = []
        self.locked: set[str] = set()  # names that nobody may change
        self.sizes: list[int] = []  # of updates, in bytes
        self.delay = 0.0  # seconds that an update takes
        self.working, self.most = 0, 0  # updates at this moment, and the most at one
        self.lock = threading.Lock()
        self._tcp = _Tcp(("127.0.0.1", 0), _TcpHandler)
        self.port = int(self._tcp.server_address[1])
        self._udp = _Udp(("127.0.0.1", self.port), _UdpHandler)
        for server in (self._tcp, self._udp):
            server.names = self
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """End it."""
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def answer(self, wire: bytes) -> bytes:
        """Return the answer to a message."""
        try:
            query = dns.message.from_wire(wire, keyring=self.keyring)
        except dns.message.UnknownTSIGKey:
            return _refusal(wire, dns.rcode.NOTAUTH)
        except dns.tsig.BadSignature:
            return _refusal(wire, dns.rcode.NOTAUTH)
        if query.opcode() == dns.opcode.UPDATE:
            self._take_time(len(wire))
        with self.lock:
            made = self._updated(query) if query.opcode() == dns.opcode.UPDATE else self._found(query)
        return t.cast("bytes", made.to_wire())

    def _take_time(self, size: int) -> None:
        with self.lock:
            self.sizes.append(size)
            self.working += 1
            self.most = max(self.most, self.working)
        time.sleep(self.delay)
        with self.lock:
            self.working -= 1

    def _updated(self, query: t.Any) -> t.Any:
        made = dns.message.make_response(query)
        if not query.had_tsig:
            made.set_rcode(dns.rcode.REFUSED)
            return made
        zone = query.zone[0].name
        if zone not in {ZONE, BELOW} or any(_zone_of(rrset.name) != zone for rrset in query.update):
            made.set_rcode(dns.rcode.NOTZONE)
            return made
        if any(str(rrset.name).rstrip(".") in self.locked for rrset in query.update):
            made.set_rcode(dns.rcode.REFUSED)
            return made
        for rrset in query.update:
            verb = "delete" if rrset.deleting else "add"
            self.taken.append((verb, str(rrset.name).rstrip(".")))
            texts = self.texts.setdefault(rrset.name, set())
            for one in rrset:
                value = one.strings[0].decode()
                texts.discard(value) if rrset.deleting else texts.add(value)
        return made

    def _found(self, query: t.Any) -> t.Any:
        made = dns.message.make_response(query)
        made.flags |= dns.flags.AA
        (question,) = query.question
        name, kind = question.name, question.rdtype
        said = []
        if kind == dns.rdatatype.A:
            said = ["127.0.0.1"]
        elif kind == dns.rdatatype.SOA and name in {ZONE, BELOW}:
            said = [_SOA]
        elif kind == dns.rdatatype.TXT:
            said = [f'"{value}"' for value in sorted(self.texts.get(_lower(name), ()))]
        if said:
            made.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *said))
        elif name.is_subdomain(ZONE):
            made.authority.append(dns.rrset.from_text(_zone_of(name), 60, "IN", "SOA", _SOA))
        return made


def _zone_of(name: dns.name.Name) -> dns.name.Name:
    return BELOW if name.is_subdomain(BELOW) else ZONE


def _lower(name: dns.name.Name) -> dns.name.Name:
    return dns.name.from_text(str(name).lower())


def _refusal(wire: bytes, rcode: dns.rcode.Rcode) -> bytes:
    made = dns.message.Message(id=struct.unpack("!H", wire[:2])[0])
    made.flags = dns.flags.QR
    made.set_opcode(dns.opcode.UPDATE)
    made.set_rcode(rcode)
    return t.cast("bytes", made.to_wire())


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True
    names: NameServer


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads, allow_reuse_address = True, True
    names: NameServer


class _TcpHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError, struct.error):
            while True:
                (length,) = struct.unpack("!H", self.rfile.read(2))
                answer = t.cast("_Tcp", self.server).names.answer(self.rfile.read(length))
                self.wfile.write(struct.pack("!H", len(answer)) + answer)


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, connection = self.request
        connection.sendto(t.cast("_Udp", self.server).names.answer(wire), self.client_address)


@contextlib.contextmanager
def running() -> t.Iterator[NameServer]:
    """Have a name server while it lasts."""
    server = NameServer()
    try:
        yield server
    finally:
        server.stop()
