# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One kept-alive connection to an OpenBao, over TLS that is always verified (T1).

It is Python's own: another library would cost more of the controller's time than a revocation costs the server. No
environment variable has a say: not in where a call goes (proxies, .netrc), nor in whom it trusts, nor does
SSLKEYLOGFILE get its keys. It is connected in a thread that can be given up, since nothing else ends a name that is
being resolved. A call is made by its caller: handed to a thread, a twentieth of it would be the handing.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
import typing as t
from urllib.parse import urlsplit

from ...module_utils._core.errors import KeysteadError, Misconfigured, Unavailable
from ...module_utils._enrol.https import is_over
from .._deadline import once
from .._tls import context
from .errors import WHO, Answer
from .unreachable import unreachable

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .address import Address

LARGEST = 16 * 1024 * 1024  # bytes of an answer
_REDIRECTS = (307, 308)  # those that repeat the call as it is (RFC 9110, 15.4)
_Answered = tuple[int, "Mapping[str, str]", bytes]


def trusting(address: Address, certificate: tuple[str, str] | None) -> ssl.SSLContext:
    """Read whom to trust, and our own certificate: the paths of it and its key. Raises Misconfigured."""
    found = context(address.ca_bundle, certificate, who=WHO)
    found.sslsocket_class = _Punctual
    return found


class _Punctual(ssl.SSLSocket):
    """Has one deadline for all that is read, however it trickles in: `until`, by the monotonic clock."""

    until: float

    def read(self, len: int = 1024, buffer: t.Any = None) -> t.Any:  # noqa: A002 - its name in ssl
        """Read once, in what is left of the time. Raises TimeoutError."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)
        return super().read(len, buffer)


class Transport:
    """Asks, and returns what is answered. Not for two threads at once."""

    def __init__(self, address: Address, trusted: ssl.SSLContext) -> None:
        """Keep where, and whom to trust. Nothing is connected yet."""
        self._address, self._context, self._url = address, trusted, address.url
        self._opened: http.client.HTTPSConnection | None = None

    def ask(
        self, method: str, path: str, body: Mapping[str, t.Any] | None, token: str | None, seconds: float
    ) -> Answer:
        """Return the answer to one call, within so many seconds. Raises Unavailable and Misconfigured."""
        status, headers, content = self._within(method, path, body, token, seconds)
        return Answer(status, headers, _parsed(content, status))

    def fetch(self, path: str, seconds: float) -> tuple[int, bytes]:
        """Return the status and the bytes of what is no JSON. Raises Unavailable and Misconfigured."""
        status, _headers, content = self._within("GET", path, None, None, seconds)
        return status, content

    def close(self) -> None:
        """End the connection."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _within(
        self, method: str, path: str, body: Mapping[str, t.Any] | None, token: str | None, seconds: float
    ) -> _Answered:
        said = None if body is None else json.dumps(body).encode()
        try:
            return self._exchange(method, path, said, token, time.monotonic() + seconds)
        except KeysteadError:
            raise
        except Exception as error:  # noqa: BLE001 - http.client, ssl and socket all have their own
            self.close()
            raise unreachable(error, self._address) from None

    def _exchange(self, method: str, path: str, body: bytes | None, token: str | None, until: float) -> _Answered:
        headers = {"X-Vault-Request": "true"}
        if token:
            headers["X-Vault-Token"] = token
        if self._address.namespace:
            headers["X-Vault-Namespace"] = self._address.namespace
        if body is not None:
            headers["Content-Type"] = "application/json"
        answered = self._once(method, path, body, headers, until)
        if answered[0] in _REDIRECTS:  # a standby names the active node
            self._url = _elsewhere(answered[1], path)
            self.close()
            answered = self._once(method, path, body, headers, until)
        return answered

    def _once(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], until: float) -> _Answered:
        connection = self._connection(until)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # why it was ended is read below
            connection.request(method, f"{urlsplit(self._url).path}/v1/{path}", body, dict(headers))
        response = connection.getresponse()
        content = response.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Unavailable(f"{WHO}: its answer to {path} has more than {LARGEST} bytes; is url right?")
        if response.length:  # http.client says nothing where an end is named
            raise http.client.IncompleteRead(content, response.length)
        return response.status, dict(response.getheaders()), content

    def _connection(self, until: float) -> http.client.HTTPSConnection:
        """Return the connection that is kept, or another one where the server ended it; its reads end in time."""
        if self._opened is not None and (self._opened.sock is None or is_over(self._opened)):
            self.close()
        if self._opened is None:
            seconds = until - time.monotonic()
            self._opened = once(seconds, lambda: self._connected(seconds))
        t.cast("_Punctual", self._opened.sock).until = until
        return self._opened

    def _connected(self, seconds: float) -> http.client.HTTPSConnection:
        where = urlsplit(self._url)
        opened = http.client.HTTPSConnection(where.hostname or "", where.port, timeout=seconds, context=self._context)
        opened.connect()
        return opened


def _elsewhere(headers: Mapping[str, str], path: str) -> str:
    """Return where the same call is to go: over TLS, and verified as the first one was."""
    location = next((value for name, value in headers.items() if name.lower() == "location"), "")
    parts, end = urlsplit(location), f"/v1/{path}"
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or not location.endswith(end):
        raise Misconfigured(
            f"{WHO}: it redirects {path} to what is no other node over https, which is not followed; "
            "write the https URL of the active node"
        )
    return location.removesuffix(end)


def _parsed(content: bytes, status: int) -> dict[str, t.Any]:
    """Return the object of an answer; what a proxy in between says in HTML is none."""
    if status == 204 or 300 <= status < 400:
        return {}
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        if status < 400:
            raise Unavailable(f"{WHO}: its answer cannot be understood; run again, and look whether url is right")
        return {}
    return found
