# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Signed calls of one account (RFC 8555, 6): nonces are used once, refused ones are replaced, one deadline a call."""

from __future__ import annotations

import os
import time
import typing as t

from ...module_utils._core.errors import KeysteadError, Misconfigured, Pending, Unavailable
from .address import WHO
from .errors import Answer, Nothing, failure, not_understood, text
from .key_file import library

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .address import Address
    from .key_file import AccountKey
    from .transport import Transport

_SHORTEST_PAUSE = 0.05  # seconds
_SHORTEST_SECRET = 4
_MOST_NONCES = 64
_AT_ONCE, _MOST_REFUSED = 5, 20  # nonces that are refused: tried again without a pause, and at most
_NONCE = "Replay-Nonce"
_SIGNED = {"Content-Type": "application/jose+json"}
Payload = t.Mapping[str, t.Any]


class Client:
    """Calls one server. Nothing is read, connected or imported before the first call."""

    def __init__(self, address: Address, secrets: t.Sequence[str] = ()) -> None:
        """Keep where, and what must never be repeated."""
        self.address, self._secrets = address, secrets
        self._transport: Transport | None = None
        self._opened_by = 0
        self._nonces: list[str] = []
        self._directory: dict[str, t.Any] | None = None

    @property
    def directory(self) -> dict[str, t.Any]:
        """What the server has, by name (RFC 8555, 7.1.1). Asked for once."""
        if self._directory is None:
            found = self.get(self.address.url, "its directory").object("directory")
            for name in ("newNonce", "newAccount", "newOrder", "revokeCert"):
                text(found, name, "directory")
            self._directory = found
        return self._directory

    @property
    def meta(self) -> dict[str, t.Any]:
        """What the directory says of the server."""
        found = self.directory.get("meta")
        return found if isinstance(found, dict) else {}

    def url(self, name: str) -> str:
        """Return the URL of a resource. Raises Unavailable where the server has none."""
        return text(self.directory, name, "directory")

    def get(self, url: str, what: str) -> Answer:
        """Return what everybody may read. Raises KeysteadError."""
        return self._until(lambda seconds: self._ask("GET", url, None, {}, seconds), what)

    def post(self, url: str, payload: Payload | None, what: str, *, key: AccountKey, kid: str | None) -> Answer:
        """Return the answer to a signed call; without a payload, it only reads (RFC 8555, 6.3). Raises KeysteadError.

        Without `kid`, the account's URL, the key itself is shown.
        """

        def once(seconds: float) -> Answer:
            until = time.monotonic() + seconds
            nonce = self._nonces.pop() if self._nonces else self._fresh(seconds)
            body = signed(key, url, payload, nonce=nonce, kid=kid)
            return self._ask("POST", url, body, _SIGNED, until - time.monotonic())

        return self._until(once, what)

    def close(self) -> None:
        """End the connection; the next call opens another."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _until(self, once: t.Callable[[float], Answer], what: str) -> Answer:
        """Ask, with another nonce where one was refused, and again where the server says when, within one deadline."""
        until, refused = time.monotonic() + self.address.timeout, 0
        while True:
            try:
                answer = once(until - time.monotonic())
            except Unavailable:
                self.close()
                raise
            left = until - time.monotonic()
            if answer.code == "badNonce":
                refused += 1
                pause = 0.0 if refused < _AT_ONCE else min(1.0, _SHORTEST_PAUSE * 1.5 ** (refused - _AT_ONCE))
                if refused == _MOST_REFUSED or pause >= left:
                    raise Unavailable(
                        f"{WHO}: it accepts none of {refused} nonces for {what}; run again, and look whether what is "
                        "in between keeps answers, or leads calls to servers that do not know of each other's nonces"
                    )
                time.sleep(pause)
                continue
            error = failure(answer, what, self._repeatable(answer.said))
            if error is None:
                return answer
            if not isinstance(error, Pending) or error.retry_after >= left:
                raise error
            time.sleep(max(_SHORTEST_PAUSE, error.retry_after))

    def _fresh(self, seconds: float) -> str:
        """Ask for a nonce (RFC 8555, 7.2)."""
        answer = self._ask("HEAD", self.url("newNonce"), None, {}, seconds)
        if error := failure(answer, "a nonce", ""):
            raise Misconfigured(str(error)) if isinstance(error, Nothing) else error
        if not self._nonces:
            raise not_understood("nonce")
        return self._nonces.pop()

    def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], seconds: float) -> Answer:
        answer = self._open().ask(method, url, body, headers, max(seconds, _SHORTEST_PAUSE))
        nonce = str(answer.headers.get(_NONCE, ""))
        if nonce and nonce.isascii() and len(self._nonces) < _MOST_NONCES:
            self._nonces.append(nonce)
        return answer

    def _open(self) -> Transport:
        if self._transport is None or self._opened_by != os.getpid():
            from .transport import Transport

            self._opened_by, self._nonces = os.getpid(), []  # a connection is its process's own
            self._transport = Transport(self.address)
        return self._transport

    def _repeatable(self, said: str) -> str:
        """Return what the server said, unless it repeats what we said in confidence."""
        hidden = any(len(one) >= _SHORTEST_SECRET and one in said for one in self._secrets)
        return f"{WHO} repeated a credential" if hidden else said


def signed(
    key: AccountKey, url: str, payload: Payload | None, *, nonce: str | None = None, kid: str | None = None
) -> bytes:
    """Return a JWS in its flattened form (RFC 8555, 6.2)."""
    library()
    import json

    from acme import jws
    from josepy.errors import DeserializationError

    content = b"" if payload is None else json.dumps(payload).encode()
    try:
        decoded = None if nonce is None else jws.Header._fields["nonce"].decode(nonce)
    except DeserializationError:
        raise not_understood("nonce") from None
    made = jws.JWS.sign(content, key=key.jwk, alg=key.algorithm, nonce=decoded, url=url, kid=kid)
    return str(made.json_dumps()).encode()


def ending(error: KeysteadError) -> KeysteadError:
    """Return an error as one of those that leave open whether something was signed."""
    return error if isinstance(error, (Pending, Unavailable)) else Unavailable(str(error))
