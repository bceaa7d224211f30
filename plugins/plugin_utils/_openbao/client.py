# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Logged in at an OpenBao: a login before the first call that needs one, renewed in time, one deadline a call."""

from __future__ import annotations

import threading
import time
import typing as t

from ...module_utils._core.errors import Pending
from .._auth.registry import OpensOnce, granted
from .connections import Connections
from .errors import WHO, LoggedOut, Refused, failure

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .._auth.registry import Grant, Login
    from .address import Address

Json = dict[str, t.Any]
SPENT = 2 / 3  # of a token's time, before it is renewed
_SECRETS = ("secret_id", "jwt", "token", "private_key")  # in the body of a call
_SHORTEST_SECRET = 4
_SHORTEST_PAUSE = 0.05  # seconds


class Client:
    """Calls one server, also from several threads at once, which share one login. `clock` counts seconds.

    Nothing is read, connected or imported before the first call.
    """

    def __init__(self, address: Address, login: Login, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep where and how."""
        self._address, self._login, self._clock = address, login, clock
        self._connections = Connections(address, login.certificate)
        self._grant: Grant | None = None
        self._granted_at, self._refused = 0.0, ""
        self._secrets: set[str] = set()
        self._lock = threading.RLock()  # who logs in does so for all

    def call(self, method: str, path: str, body: Mapping[str, t.Any] | None = None) -> Json:
        """Return the answer to a call by who is logged in. Raises Refused, and other KeysteadErrors."""
        token = self._token()
        try:
            return self._asked(method, path, body, token=token)
        except Refused as refused:
            if refused.status != 403 or not self._is_logged_out(token, refused.said):
                raise
        return self._asked(method, path, body, token=self._token())

    def public(self, path: str) -> Json:
        """Return what a path says that needs no login."""
        return self._asked("GET", path, public=True)

    def fetch(self, path: str) -> bytes:
        """Return what is no JSON and needs no login; empty where the server has none to give."""
        with self._connections.one() as connection:
            status, content = connection.fetch(path, self._address.timeout)
        return content if status == 200 else b""

    @property
    def again(self) -> bool:
        """Whether another login, later, may give another token."""
        return self._login.again

    def opens_once(self) -> bool:
        """Tell whether the next login uses up what it has. Raises LoggedOut where it was used up before."""
        return isinstance(self._login, OpensOnce) and self._login.opens_once(self._asked)

    def close(self) -> None:
        """End the connections; the next call opens another."""
        self._connections.close()

    def _token(self) -> str:
        with self._lock:
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

    def _is_logged_out(self, token: str, said: str) -> bool:
        """Tell whether another token may help. Raises LoggedOut where nobody is logged in, and no login would."""
        with self._lock:
            if self._grant is None or self._grant.token != token:  # another call met it first
                return True
            try:
                self._asked("GET", "auth/token/lookup-self", token=token)
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
            with self._connections.one() as connection:
                answer = connection.ask(method, path, body, token, until - time.monotonic())
            said = self._repeatable(answer.said)
            error = failure(answer, method, path.partition("?")[0], said, public=public)
            if error is None:
                return answer.content
            left = until - time.monotonic()
            if not isinstance(error, Pending) or error.retry_after >= left:
                raise error
            time.sleep(max(_SHORTEST_PAUSE, error.retry_after))

    def _repeatable(self, said: str) -> str:
        """Return what the server said, unless it repeats what we said in confidence."""
        hidden = any(len(one) >= _SHORTEST_SECRET and one in said for one in tuple(self._secrets))
        return f"{WHO} repeated a credential" if hidden else said
