# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A syslog server: checkpoints as messages of RFC 5424, over TLS, TCP or UDP."""

from __future__ import annotations

import contextlib
import socket
import typing as t
from datetime import UTC, datetime

from ...module_utils._core.errors import Misconfigured, Unavailable
from .._deadline import once
from .._durations import seconds
from .._ledger.moments import stamp
from .._tls import context
from .unreachable import why

WHO = "identity_audit"
_PORTS = {"tls": 6514, "tcp": 514, "udp": 514}
_PRIORITY = 13 * 8 + 5  # facility "log audit", severity "notice" (RFC 5424, 6.2.1)
_PORT_NUMBERS = range(1, 65536)


class SyslogReceiver:
    """The port Receiver over `{host, port, protocol, ca_bundle, timeout}`."""

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        self._protocol, self._host = options["protocol"], str(options["host"])
        self._port = _PORTS[self._protocol] if options["port"] is None else options["port"]
        if self._port not in _PORT_NUMBERS:
            raise Misconfigured(f"{WHO}: option receivers[].syslog.port: {self._port} is no port; write 1 to 65535")
        self._ca_bundle, self._seconds = options["ca_bundle"], float(seconds(options["timeout"]))
        self.place = f"syslog {self._protocol} {self._host}:{self._port}"

    def send(self, signed: str) -> None:
        """Send one message. Raises Unavailable, and Misconfigured for a ca_bundle that cannot be read."""
        tls = context(self._ca_bundle, who=f"{WHO}: option receivers[].syslog") if self._protocol == "tls" else None
        try:
            once(self._seconds, lambda: self._send(message(signed), tls))
        except (OSError, UnicodeError) as error:  # TimeoutError and ssl.SSLError; a name that can be none
            told = f"was not sent a checkpoint ({why(error)}); see that it listens there, and run again"
            raise Unavailable(f"{WHO}: {self.place} {told}") from None

    def _send(self, told: bytes, tls: t.Any) -> None:
        if self._protocol == "udp":
            family, kind, number, _name, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_DGRAM
            )[0]
            with socket.socket(family, kind, number) as outlet:
                outlet.sendto(told, address)
            return
        with contextlib.ExitStack() as stack:
            outlet = stack.enter_context(socket.create_connection((self._host, self._port), self._seconds))
            framed = b"%d %s" % (len(told), told)  # the length first: RFC 5425, 4.3; RFC 6587, 3.4.1
            if tls is None:
                outlet.sendall(framed)
                return
            secure = stack.enter_context(tls.wrap_socket(outlet, server_hostname=self._host))
            secure.sendall(framed)
            secure.unwrap()  # whoever closes at once may lose what was not read yet


def message(signed: str) -> bytes:
    """Return a checkpoint as a message (RFC 5424, 6)."""
    host = "".join(sign for sign in socket.gethostname() if "!" <= sign <= "~")[:255] or "-"
    return f"<{_PRIORITY}>1 {stamp(datetime.now(UTC))} {host} keystead.identity - checkpoint - {signed}".encode()
