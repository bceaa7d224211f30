# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Logged in at an OpenBao: a login before the first call that needs one, renewed in time, one deadline a call."""

from __future__ import annotations

import os
import time
import typing as t

from ...module_utils._core.errors import Pending, Unavailable
from .._auth.registry import OpensOnce, granted
from .errors import WHO, LoggedOut, Refused, failure

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._auth.registry import Grant, Login
    from .address import Address
    from .transport import Transport

Json = dict[str, t.Any]
SPENT = 2 / 3  # of a token's time, before it is renewed
_SECRETS = ("secret_id", "jwt", "token", "private_key")  # in the body of a call
_SHORTEST_SECRET = 4
_SHORTEST_PAUSE = 0.05  # seconds


class Client:
    """Calls one server. Nothing is read, connected or imported before the first call. `clock` counts seconds."""

    def __init__(self, address: Address, login: Login, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep where and how."""
        self._address, self._login, self._clock = address, login, clock
        self._transport: Transport | None = None
        self._grant: Grant | None = None
        self._granted_at, self._refused, self._opened_by = 0.0, "", 0
        self._secrets: set[str] = set()

    def call(self, method: str, path: str, body: Mapping[str, t.Any] | None = None) -> Json:
        """Return the answer to a call by who is logged in. Raises Refused, and other KeysteadErrors."""
        try:
            return self._asked(method, path, body, token=self._token())
        except Refused as refused:
            if refused.status != 403 or not self._is_logged_out(refused.said):
                raise
        return self._asked(method, path, body, token=self._token())

    def public(self, path: str) -> Json:
        """Return what a path says that needs no login."""
        return self._asked("GET", path, public=True)

    def fetch(self, path: str) -> bytes:
        """Return what is no JSON and needs no login; empty where the server has none to give."""
        try:
            status, content = self._open().fetch(path, self._address.timeout)
        except Unavailable:
            self.close()
            raise
        return content if status == 200 else b""

    @property
    def again(self) -> bool:
        """Whether another login, later, may give another token."""
        return self._login.again

    def opens_once(self) -> bool:
        """Tell whether the next login uses up what it has. Raises LoggedOut where it was used up before."""
        return isinstance(self._login, OpensOnce) and self._login.opens_once(self._asked)

    def close(self) -> None:
        """End the connection; the next call opens another."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _token(self) -> str:
        grant = self._grant
        if grant is not None and grant.seconds and self._clock() > self._granted_at + SPENT * grant.seconds:
            grant = self._renewed(grant)
        if grant is None:
            grant = self._logged_in()
            self._keep(grant)
        return grant.token

    def _logged_in(self) -> Grant:
        """Log in. What was refused once is not tried again: that could lock others out."""
        if self._refused:
            raise LoggedOut(self._refused)
        try:
            return self._login.login(self._asked)
        except LoggedOut as error:
            self._refused = str(error)
            raise

    def _keep(self, grant: Grant) -> None:
        self._grant, self._granted_at = grant, self._clock()
        self._secrets.add(grant.token)

    def _renewed(self, grant: Grant) -> Grant | None:
        """Return the token with more time; None where a new login gives more than its renewal."""
        if grant.renewable:
            try:
                renewed = granted(self._asked("POST", "auth/token/renew-self", {}, token=grant.token), WHO)
            except Refused:
                renewed = grant._replace(seconds=0)
            if renewed.seconds > grant.seconds // 2 or not self._login.again:
                self._keep(renewed)
                return renewed
        return None if self._login.again else grant

    def _is_logged_out(self, said: str) -> bool:
        """Tell whether another login may help. Raises LoggedOut where nobody is logged in, and none would."""
        if self._grant is None:
            return True
        try:
            self._asked("GET", "auth/token/lookup-self", token=self._grant.token)
        except Refused:
            if not self._login.again:
                raise LoggedOut(
                    f"{self._login.option}: the token is not valid, or not any more, or it permits nothing here "
                    f"({said or 'the server says no more'}); give another one"
                ) from None
            self._grant = None
            return True
        return False

    def _asked(
        self,
        method: str,
        path: str,
        body: Mapping[str, t.Any] | None = None,
        *,
        token: str | None = None,
        public: bool = False,
    ) -> Json:
        """Ask, and ask again where the server says when, all within one deadline."""
        self._secrets |= {one for one in (token, *map((body or {}).get, _SECRETS)) if isinstance(one, str)}
        until = time.monotonic() + self._address.timeout
        while True:
            try:
                answer = self._open().ask(method, path, body, token, until - time.monotonic())
            except Unavailable:
                self.close()
                raise
            said = self._repeatable(answer.said)
            error = failure(answer, method, path.partition("?")[0], said, public=public)
            if error is None:
                return answer.content
            left = until - time.monotonic()
            if not isinstance(error, Pending) or error.retry_after >= left:
                raise error
            time.sleep(max(_SHORTEST_PAUSE, error.retry_after))

    def _open(self) -> Transport:
        if self._transport is None or self._opened_by != os.getpid():
            from .transport import Transport

            self._opened_by = os.getpid()  # a connection is its process's own: a child opens another
            self._transport = Transport(self._address, self._login.certificate)
        return self._transport

    def _repeatable(self, said: str) -> str:
        """Return what the server said, unless it repeats what we said in confidence."""
        hidden = any(len(one) >= _SHORTEST_SECRET and one in said for one in self._secrets)
        return f"{WHO} repeated a credential" if hidden else said
