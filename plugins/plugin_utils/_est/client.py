# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The operations of an EST server (RFC 7030, 4), and what its answers mean."""

from __future__ import annotations

import base64
import os
import typing as t

from ...module_utils._core.errors import Denied, KeysteadError
from ...module_utils._enrol.unreachable import LoggedOut
from .._answered import failure, plain_text
from .._retry_after import retry_after
from .address import WHO
from .asked import wishes
from .cms import certificates

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography import x509

    from ...module_utils._enrol.https import Answer, Connection
    from .._answered import Remedies
    from .address import Place
    from .asked import Wish

_NOT_OFFERED = (204, 404, 405, 501)  # of csrattrs, which is optional (RFC 7030, 4.5)
_HEADERS = {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"}
SHORTEST_PAUSE = 1.0  # seconds: a server that says 0 would be asked as fast as it answers


class Later(t.NamedTuple):
    """It has not decided yet (202): the same request is to be sent again in so many seconds."""

    seconds: float


class Client:
    """Calls one server. `connect` makes its connection, `authorization` the header that says who we are.

    `secrets` are what a server must not be heard repeating, `named` is the option that who we are comes from.
    """

    def __init__(
        self, where: Place, connect: Callable[[], Connection], authorization: Callable[[], Mapping[str, str]],
        secrets: Callable[[], tuple[str, ...]], named: str = "auth",
    ) -> None:  # fmt: skip
        """Keep how; nothing is read or connected before the first call."""
        self._place, self._connect, self._who = where, connect, authorization
        self._secrets, self._named = secrets, named
        self._connection: Connection | None = None
        self._opened_by = 0

    def authorities(self) -> list[x509.Certificate]:
        """Return what /cacerts names; who asks need not say who it is."""
        answer = self._asked("GET", "cacerts", {})
        self.check(answer, "cacerts")
        return certificates(answer.body, "list of authorities (cacerts)")

    def wanted(self) -> tuple[Wish, ...]:
        """Return what the server wants to be in requests; nothing where it does not say."""
        answer = self._asked("GET", "csrattrs", dict(self._who()))
        if answer.status in _NOT_OFFERED:
            return ()
        self.check(answer, "csrattrs")
        return wishes(answer.body) if answer.body.strip() else ()

    def enrol(self, csr: bytes) -> list[x509.Certificate] | Later:
        """Have a request (DER) signed, or ask again whether it was."""
        body = base64.b64encode(csr)
        return self.read(self._asked("POST", "simpleenroll", {**_HEADERS, **self._who()}, body), "simpleenroll")

    def read(self, answer: Answer, operation: str) -> list[x509.Certificate] | Later:
        """Return what an answer to an enrolment says, whoever asked. Raises KeysteadError."""
        if answer.status == 202:
            return Later(later(answer))
        self.check(answer, operation)
        return certificates(answer.body, "answer to a request")

    def close(self) -> None:
        """End the connection; the next call opens another one."""
        if self._connection is not None:
            self._connection.close()

    def _asked(self, method: str, operation: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        if self._connection is None or self._opened_by != os.getpid():
            self._opened_by = os.getpid()  # a connection is its process's own: a child opens another
            self._connection = self._connect()
        try:
            return self._connection.ask(method, f"{self._place.path}/{operation}", headers, body)
        except KeysteadError:
            self.close()
            raise

    def check(self, answer: Answer, operation: str) -> None:
        """Raise KeysteadError for an answer that is none."""
        if answer.status != 200:
            raise failure(WHO, answer, operation, self._said(answer), remedies(self._named))

    def _said(self, answer: Answer) -> str:
        """Return what the server says in plain text (RFC 7030, 4.2.3), unless it repeats what we said in confidence."""
        return plain_text(answer, self._secrets())


_REMEDIES: dict[int, tuple[type[Denied], str, str]] = {
    401: (LoggedOut, "it does not accept who we are", "correct what {} says"),
    403: (Denied, "who we are may not use {}", "let it permit that, or correct {} or label"),
    404: (Denied, "there is no {} at its address", "correct url or label"),
}


def later(answer: Answer) -> float:
    """Return the seconds after which to come again: by Retry-After, or a minute where a server leaves that out."""
    named = answer.headers.get("retry-after")
    told = 60.0 if named is None else retry_after({"Retry-After": named, "Date": answer.headers.get("date", "")})
    return max(SHORTEST_PAUSE, told)


def remedies(named: str) -> Remedies:
    """Return what statuses mean; `named` is the option that says who we are."""
    return {status: (kind, told, remedy.format(named)) for status, (kind, told, remedy) in _REMEDIES.items()}
