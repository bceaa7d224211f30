# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Log in by a token that somebody else has got."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ...module_utils._core.errors import Denied
from .._endings import Ending
from .._openbao.errors import section
from .._secrets import credential, given
from .registry import Grant, moment

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .registry import Asks, Call, Options


class TokenLogin:
    """Over `{token | token_file | token_env}`. A file may hold another token the next time."""

    certificate = None

    def __init__(self, options: Options, option: str) -> None:
        """Refuse more or less than one of them. Raises Misconfigured."""
        self.option, self._options = option, options
        self._given = given(options, ("token", "token_file", "token_env"), option) or ""
        self.again = self._given == "token_file"

    def check(self) -> None:
        """Read the token. Raises Misconfigured."""
        credential(self._options, self._given, self.option)

    def login(self, call: Call) -> Grant:
        """Ask what the token is good for. One that may not even look at itself is taken as it is."""
        token = credential(self._options, self._given, self.option)
        try:
            found = section(call("GET", "auth/token/lookup-self", token=token), "data")
        except Denied:
            return Grant(token)
        seconds = found.get("ttl")
        return Grant(token, seconds if isinstance(seconds, int) else 0, found.get("renewable") is True)

    def ending(self, call: Asks, token: Mapping[str, t.Any]) -> Ending:  # noqa: ARG002 - the token says it all
        """Tell when the token ends: a run renews it only as long as it lasts."""
        uses, remedy = token.get("num_uses"), "renew it, give another one, or log in by approle, cert or jwt_file"
        if isinstance(uses, int) and uses > 0:
            found = f"the token is good for {uses} calls more"
            return Ending("login", "", found, "give one whose uses are not counted", state="warning")
        ends, whole = moment(token.get("expire_time")), token.get("creation_ttl")
        if ends is None:
            return Ending("login", "", "the token does not end")
        begins = ends - timedelta(seconds=whole) if isinstance(whole, int) and whole > 0 else None
        return Ending("login", "", "", remedy, ends, begins)
