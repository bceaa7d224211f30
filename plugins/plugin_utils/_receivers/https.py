# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A server that is sent checkpoints by POST."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ...module_utils._core.errors import Denied, Misconfigured, Unavailable
from .._deadline import once
from .._durations import seconds
from .._https_adapter import Verifying
from .._secrets import credential, given
from .._tls import context
from .unreachable import why

WHO = "identity_audit"
_OPTION = f"{WHO}: option receivers[].https"
_ACCEPTED = range(200, 300)


class HttpsReceiver:
    """The port Receiver over `{url, token, token_file, ca_bundle, timeout}`."""

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        self._url = _checked(str(options["url"]))
        self._ca_bundle, self._seconds = options["ca_bundle"], float(seconds(options["timeout"]))
        name = given(options, ("token", "token_file"), _OPTION, required=False)
        self._token = credential(options, name, _OPTION) if name else None
        self.place = f"https {self._url}"

    def send(self, signed: str) -> None:
        """Send a checkpoint. Raises Unavailable, and Denied where it is refused."""
        tls = context(self._ca_bundle, who=_OPTION)
        try:
            status = once(self._seconds, lambda: self._post(signed, tls))
        except Exception as error:
            import requests

            if not isinstance(error, (OSError, ValueError, requests.RequestException)):  # a name that can be none
                raise
            raise Unavailable(f"{WHO}: {self.place} cannot be reached ({why(error)}); run again") from None
        if status not in _ACCEPTED:
            kind = Denied if status in range(400, 500) else Unavailable
            raise kind(f"{WHO}: {self.place} did not take a checkpoint: it answered {status}; see its log")

    def _post(self, signed: str, tls: t.Any) -> int:
        import requests

        headers = {"Content-Type": "application/jose"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", Verifying(tls))
            with session.post(
                self._url, data=signed.encode(), headers=headers, timeout=self._seconds, stream=True,
                allow_redirects=False,
            ) as response:
                return int(response.status_code)


def _checked(url: str) -> str:
    try:
        found = urlsplit(url)
        sound = found.scheme == "https" and found.hostname and not found.username and not found.fragment
        found.port  # noqa: B018 - raises for what is none
    except ValueError:
        sound = False
    if not sound or not url.isprintable() or " " in url:
        raise Misconfigured(
            f"{_OPTION}.url is no address like https://audit.example.org/checkpoints; write one, with what says who we "
            "are in token"
        )
    return url
