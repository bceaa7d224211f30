# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When a mount makes its revocation list: at each revocation, or from time to time and when it is told to."""

from __future__ import annotations

import functools
import typing as t

from ...module_utils._core.errors import Misconfigured
from .errors import WHO, Refused, plain, section

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .client import Client


class Crl:
    """The revocation list of one mount. A token that may not look at its configuration learns nothing, and may not."""

    def __init__(self, client: Client, mount: str, advise: Callable[[str], None]) -> None:
        """Keep whom to ask."""
        self._client, self._mount, self._advise = client, mount, advise

    def advise(self) -> None:
        """Say once that every one of many revocations makes the list anew."""
        if self._configured.get("auto_rebuild") is False and not self._configured.get("disable"):
            self._advise(
                f"{WHO}: mount {self._mount} makes its revocation list anew at every revocation, which gets slower "
                f"with each; write auto_rebuild=true to {self._mount}/config/crl, and permit read on "
                f"{self._mount}/crl/rotate: then it is made once, after all of them"
            )

    def publish(self) -> None:
        """Have the list made now, where it waits. Raises KeysteadError but where the token may not."""
        if self._configured.get("auto_rebuild") is not True or self._configured.get("disable"):
            return
        try:
            self._client.call("GET", f"{self._mount}/crl/rotate")
        except Refused as refused:
            if refused.status != 403:
                raise plain(refused) from None
            self._advise(
                f"{WHO}: the revocation list of mount {self._mount} is made from time to time, and this token may not "
                f"have it made now; permit read on {self._mount}/crl/rotate, or wait for it"
            )

    @functools.cached_property
    def _configured(self) -> dict[str, t.Any]:
        try:
            return section(self._client.call("GET", f"{self._mount}/config/crl"), "data")
        except (Refused, Misconfigured):
            return {}
