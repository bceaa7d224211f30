# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One kept-alive connection to an ACME server, over TLS that is always verified (T1).

No environment variable has a say: not in where a call goes (proxies, .netrc), nor in whom it trusts.
"""

from __future__ import annotations

import contextlib
import sys
import typing as t
from urllib.parse import urlsplit

with contextlib.suppress(ImportError):
    import requests

from ...module_utils._core.errors import KeysteadError, Misconfigured, Unavailable
from .._deadline import Worker
from .._https_adapter import IS_THERE, Verifying
from .._openbao.errors import Silent as Late
from .._openbao.unreachable import unreachable
from .._tls import context
from .address import WHO
from .errors import Answer, Silent, not_understood

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .address import Address

LARGEST = 4 * 1024 * 1024  # bytes of an answer
_AGENT = "keystead.identity (Ansible collection)"  # RFC 8555, 6.1


def _has_port(url: str) -> bool:
    """Tell whether the port of a URL is left out, or is one."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


class Transport:
    """Asks, and returns what is answered. Not for two threads at once."""

    def __init__(self, address: Address) -> None:
        """Read whom to trust. Raises Misconfigured. Nothing is connected yet."""
        if not IS_THERE:
            raise Misconfigured(f"{WHO}: {sys.executable} lacks requests; run: {sys.executable} -m pip install acme")
        self._address, self._worker = address, Worker()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.adapters.clear()
        self._session.mount("https://", Verifying(context(address.ca_bundle, who=WHO)))

    def ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], seconds: float) -> Answer:
        """Return the answer to one call, within so many seconds. Raises Unavailable and Misconfigured."""
        if not url.startswith("https://") or not url.isprintable() or not _has_port(url):
            raise not_understood("URL")
        try:
            return self._worker.within(seconds, lambda: self._exchange(method, url, body, headers, seconds))
        except KeysteadError:
            raise
        except Exception as error:  # noqa: BLE001 - requests, urllib3, http.client and ssl all have their own
            raise self._unreachable(error, url) from None

    def _unreachable(self, error: Exception, url: str) -> KeysteadError:
        """Return the error of a call that got no answer, in the words of this issuer."""
        told = unreachable(error, t.cast("t.Any", self._address._replace(url=f"https://{urlsplit(url).netloc}")))
        words = f"{WHO}: {str(told).partition(': ')[2]}".replace("correct url", "correct directory_url")
        return Silent(words) if isinstance(told, Late) else type(told)(words)

    def close(self) -> None:
        """End the connection."""
        self._worker.close()
        self._session.close()

    def _exchange(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Answer:
        said = {"User-Agent": _AGENT, **headers}
        with self._session.request(
            method, url, data=body, headers=said, timeout=seconds, stream=True, allow_redirects=False
        ) as response:
            content = bytearray()
            for chunk in response.iter_content(65536):
                content += chunk
                if len(content) > LARGEST:
                    raise Unavailable(f"{WHO}: its answer has more than {LARGEST} bytes; is directory_url right?")
            return Answer(response.status_code, response.headers, bytes(content))
