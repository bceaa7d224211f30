# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Log in by a JSON Web Token (RFC 7519)."""

from __future__ import annotations

import base64
import json
import typing as t
from datetime import UTC, datetime

from .._endings import Ending
from .._openbao.errors import Refused
from .._secrets import credential, given
from .registry import granted, unaccepted

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .registry import Asks, Call, Grant, Options


class JwtLogin:
    """Over `{role, jwt | jwt_file, mount}`. A file may hold another token the next time."""

    certificate = None

    def __init__(self, options: Options, option: str) -> None:
        """Refuse more or less than one of them. Raises Misconfigured."""
        self.option, self._options = option, options
        self._given = given(options, ("jwt", "jwt_file"), option) or ""
        self.again = self._given == "jwt_file"

    def check(self) -> None:
        """Read the token. Raises Misconfigured."""
        credential(self._options, self._given, self.option)

    def login(self, call: Call) -> Grant:
        """Log in. Raises LoggedOut."""
        role = self._options.get("role")
        body = {"jwt": credential(self._options, self._given, self.option), **({"role": role} if role else {})}
        try:
            return granted(call("POST", f"auth/{self._options['mount']}/login", body), self.option)
        except Refused as refused:
            remedy = f"check {'role and ' if role else ''}mount, and that its claims still hold, and for it"
            raise unaccepted(refused, self.option, remedy) from None

    def ending(self, call: Asks, token: Mapping[str, t.Any]) -> Ending:  # noqa: ARG002 - its claims say it
        """Tell when the token ends by its claims (RFC 7519, 4.1), which the server has verified."""
        claims = _claims(credential(self._options, self._given, self.option))
        ends, begins = (_moment(claims.get(name)) for name in ("exp", "iat"))
        remedy = f"let whoever writes {self._given} write another one"
        return Ending("login", "", "" if ends else "the token says no end", remedy, ends, begins)


def _claims(token: str) -> dict[str, t.Any]:
    try:
        segment = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _moment(said: t.Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(said), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
