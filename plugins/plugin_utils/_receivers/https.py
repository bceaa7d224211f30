# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A server that is sent checkpoints by POST."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from .._durations import seconds
from .._posting import Address, is_url, post
from .._secrets import credential, given

WHO = "identity_audit"
_OPTION = f"{WHO}: option receivers[].https"


class HttpsReceiver:
    """The port Receiver over `{url, token, token_file, ca_bundle, timeout}`."""

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        url = _checked(str(options["url"]))
        self.place = f"https {url}"
        self._to = Address(url, options["ca_bundle"], float(seconds(options["timeout"])), _OPTION, self.place, WHO)
        name = given(options, ("token", "token_file"), _OPTION, required=False)
        self._token = credential(options, name, _OPTION) if name else None

    def send(self, signed: str) -> None:
        """Send a checkpoint. Raises Unavailable, and Denied where it is refused."""
        headers = {"Content-Type": "application/jose"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        post(self._to, signed.encode(), headers, "a checkpoint")


def _checked(url: str) -> str:
    if not is_url(url):
        raise Misconfigured(
            f"{_OPTION}.url is no address like https://audit.example.org/checkpoints; write one, with what says who we "
            "are in token"
        )
    return url
