# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Log in by an AppRole: a RoleID, and a SecretID that may come wrapped."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from .._endings import Ending
from .._openbao.errors import LoggedOut, Refused, section
from .._secrets import credential, given
from .registry import granted, moment, unaccepted

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .registry import Asks, Call, Grant, Options

FEW = 5  # logins that a SecretID is good for, of which somebody has to know
_SECRETS = ("secret_id", "secret_id_file", "wrapped_secret_id")


class AppRoleLogin:
    """Over `{role_id, secret_id | secret_id_file | wrapped_secret_id, mount}`."""

    certificate, again = None, True

    def __init__(self, options: Options, option: str) -> None:
        """Refuse more than one SecretID. Raises Misconfigured."""
        self.option, self._options = option, options
        self._given = given(options, _SECRETS, option, required=False)
        self._unwrapped: str | None = None

    def check(self) -> None:
        """Read the SecretID; one that is wrapped stays so. Raises Misconfigured."""
        if self._given:
            credential(self._options, self._given, self.option)

    def login(self, call: Call) -> Grant:
        """Log in. What was wrapped is unwrapped the first time only. Raises LoggedOut."""
        body = {"role_id": str(self._options["role_id"])}
        if self._given:
            body["secret_id"] = self._secret_id(call, self._given)
        try:
            return granted(call("POST", f"auth/{self._options['mount']}/login", body), self.option)
        except Refused as refused:
            remedy = f"check role_id, {self._given or 'secret_id'} and mount, and that neither was used up"
            raise unaccepted(refused, self.option, remedy) from None

    def opens_once(self, call: Call) -> bool:
        """Tell whether a wrapped SecretID waits to be unwrapped. Raises LoggedOut where it can be no more."""
        if self._given != "wrapped_secret_id" or self._unwrapped is not None:
            return False
        token = credential(self._options, self._given, self.option)
        try:
            call("POST", "sys/wrapping/lookup", {"token": token})
        except Refused:
            raise self._unwrapped_before() from None
        return True

    def ending(self, call: Asks, token: Mapping[str, t.Any]) -> Ending:
        """Tell when the SecretID ends, by asking the role that the login is of; that uses nothing up."""
        role, meta = "", token.get("meta")
        if isinstance(meta, dict):
            role = str(meta.get("role_name") or "")
        if not self._given:
            return Ending("login", "", "it logs in without a SecretID")
        path = f"auth/{self._options['mount']}/role/{quote(role, safe='')}/secret-id/lookup"
        secret = self._unwrapped or credential(self._options, self._given, self.option)
        try:
            return _ending(section(call("POST", path, {"secret_id": secret}), "data"))
        except Refused:
            found, remedy = "it is not known when the SecretID ends", f"let the policy of the login update {path}"
            return Ending("secret_id", "", found, remedy, state="unknown")

    def _secret_id(self, call: Call, name: str) -> str:
        if name != "wrapped_secret_id":
            return credential(self._options, name, self.option)
        if self._unwrapped is None:
            self._unwrapped = self._unwrap(call, credential(self._options, name, self.option))
        return self._unwrapped

    def _unwrap(self, call: Call, token: str) -> str:
        try:
            found = section(call("POST", "sys/wrapping/unwrap", token=token), "data")
        except Refused:
            raise self._unwrapped_before() from None
        if not isinstance(found.get("secret_id"), str):
            raise LoggedOut(f"{self.option}.wrapped_secret_id: no secret_id is in it; wrap the answer of secret-id")
        return str(found["secret_id"])

    def _unwrapped_before(self) -> LoggedOut:
        return LoggedOut(
            f"{self.option}.wrapped_secret_id: it was unwrapped already, or its time is over; make a new one, and "
            "if nobody of yours unwrapped it, destroy its secret_id: somebody else has it"
        )


def _ending(found: Mapping[str, t.Any]) -> Ending:
    """Return how a SecretID stands, by what the server says of it: its end is the year 1 where it has none."""
    uses, remedy = found.get("secret_id_num_uses"), "make another secret_id for the role, and destroy this one"
    if isinstance(uses, int) and 0 < uses <= FEW:
        return Ending("secret_id", "", f"the SecretID is good for {uses} logins more", remedy, state="warning")
    ends, begins = (moment(found.get(name)) for name in ("expiration_time", "creation_time"))
    return Ending("secret_id", "", "" if ends else "the SecretID does not end", remedy, ends, begins)
