# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One kept-alive connection to an OpenBao, over TLS that is always verified (T1).

No environment variable has a say: not in where a call goes (proxies, .netrc), nor in whom it trusts, nor does
SSLKEYLOGFILE get its keys.
"""

from __future__ import annotations

import contextlib
import json
import sys
import typing as t
from urllib.parse import urlsplit

with contextlib.suppress(ImportError):
    import requests
    from hvac.adapters import RawAdapter

from ...module_utils._core.errors import KeysteadError, Misconfigured, Unavailable
from .._deadline import Worker
from .._tls import Verifying, context
from .errors import WHO, Answer
from .unreachable import unreachable

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .address import Address

LARGEST = 16 * 1024 * 1024  # bytes of an answer
_REDIRECTS = (307, 308)  # those that repeat the call as it is (RFC 9110, 15.4)


IS_THERE = "RawAdapter" in globals()


class Transport:
    """Asks, and returns what is answered. Not for two threads at once."""

    def __init__(self, address: Address, certificate: tuple[str, str] | None) -> None:
        """Read whom to trust, and our own certificate. Raises Misconfigured. Nothing is connected yet."""
        if not IS_THERE:
            raise Misconfigured(f"{WHO}: {sys.executable} lacks hvac; run: {sys.executable} -m pip install hvac")
        self._address, self._worker = address, Worker()
        session = requests.Session()
        session.trust_env = False
        session.adapters.clear()
        session.mount("https://", Verifying(context(address.ca_bundle, certificate, who=WHO)))
        self._adapter = RawAdapter(
            base_uri=address.url,
            namespace=address.namespace or None,
            session=session,
            allow_redirects=False,
            ignore_exceptions=True,
        )

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
        self._worker.close()
        self._adapter.close()

    def _within(
        self, method: str, path: str, body: Mapping[str, t.Any] | None, token: str | None, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            return self._worker.within(seconds, lambda: self._exchange(method, path, body, token, seconds))
        except KeysteadError:
            raise
        except Exception as error:  # noqa: BLE001 - requests, urllib3, http.client and ssl all have their own
            raise unreachable(error, self._address) from None

    def _exchange(
        self, method: str, path: str, body: Mapping[str, t.Any] | None, token: str | None, seconds: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        self._adapter.token = token
        response = self._once(method, path, body, seconds)
        if response.status_code in _REDIRECTS:  # a standby names the active node
            self._adapter.base_uri = self._elsewhere(response, path)
            response.close()
            response = self._once(method, path, body, seconds)
        with response:
            content = bytearray()
            for chunk in response.iter_content(65536):
                content += chunk
                if len(content) > LARGEST:
                    raise Unavailable(f"{WHO}: its answer to {path} has more than {LARGEST} bytes; is url right?")
            return response.status_code, response.headers, bytes(content)

    def _once(self, method: str, path: str, body: Mapping[str, t.Any] | None, seconds: float) -> t.Any:
        return self._adapter.request(method, f"/v1/{path}", json=body, timeout=seconds, stream=True)

    def _elsewhere(self, response: t.Any, path: str) -> str:
        """Return where the same call is to go: over TLS, and verified as the first one was."""
        location = str(response.headers.get("Location", ""))
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
