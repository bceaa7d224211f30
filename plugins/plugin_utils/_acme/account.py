# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The account that asks (RFC 8555, 7.3): made when it is missing, bound to another one, its key exchanged."""

from __future__ import annotations

import base64
import binascii
import json
import typing as t

from ...module_utils._core.errors import Misconfigured
from .address import OPTION, WHO, contact
from .client import signed
from .errors import LoggedOut, NoAccount, Refused, not_understood
from .key_file import library, load, load_or_make

if t.TYPE_CHECKING:
    from .client import Client, Payload
    from .errors import Answer
    from .key_file import AccountKey

_LONGEST_STATUS = 20


class Account:
    """One account of a server, by its key. Nobody is asked before the first call."""

    def __init__(self, client: Client, options: t.Mapping[str, t.Any], advise: t.Callable[[str], None]) -> None:
        """Keep what the task says of it. Raises Misconfigured."""
        self._client, self._options, self._advise = client, options, advise
        self._contact = contact(options)
        self._key: AccountKey | None = None
        self._url: str | None = None
        self._refused = ""

    @property
    def key(self) -> AccountKey:
        """The key of the account; made when there is none. Raises Misconfigured."""
        if self._key is None:
            self._key = load_or_make(self._options["account_key"])
        return self._key

    def post(self, url: str, payload: Payload | None, what: str) -> Answer:
        """Return the answer to a call of this account."""
        return self._client.post(url, payload, what, key=self.key, kid=self.url())

    def thumbprint(self) -> str:
        """Return what every key authorization ends with (RFC 8555, 8.1)."""
        return base64.urlsafe_b64encode(self.key.jwk.thumbprint()).rstrip(b"=").decode()

    def url(self) -> str:
        """Return the URL of the account, finding or making it first. What was refused once is not tried again."""
        if self._refused:
            raise LoggedOut(self._refused)
        if self._url is None:
            try:
                self._url = self._found() or self._taken_over() or self._made()
            except LoggedOut as error:
                self._refused = str(error)
                raise
        return self._url

    def exists(self) -> bool:
        """Tell whether the server has the account, without making one."""
        if load(self._options["account_key"]) is None:
            return False
        return self._asked(self.key, {"onlyReturnExisting": True}) is not None

    def status(self) -> str | None:
        """Return what the server says of the account (RFC 8555, 7.1.2), without making one; None where it has none."""
        answer = self._asked(self.key, {"onlyReturnExisting": True})
        return None if answer is None else str(answer.object("account").get("status"))[:_LONGEST_STATUS]

    def _found(self) -> str | None:
        """Look for the account of this key before the one of another key is looked for."""
        careful = self._options.get("previous_account_key") is not None
        answer = self._asked(self.key, {"onlyReturnExisting": True}) if careful else None
        return self._with_contact(answer) if answer else None

    def _made(self) -> str:
        """Make the account; who has it already gets the one that is there (RFC 8555, 7.3)."""
        payload: dict[str, t.Any] = {"termsOfServiceAgreed": True}
        if self._contact:
            payload["contact"] = list(self._contact)
        if binding := self._binding():
            payload["externalAccountBinding"] = binding
        elif self._client.meta.get("externalAccountRequired") is True:
            raise LoggedOut(
                f"{WHO}: it binds accounts to those of its customers; write issuer.acme.eab: kid and hmac_key"
            )
        answer = self._asked(self.key, payload)
        if answer is None:
            raise not_understood("answer to a new account")
        if answer.status == 201:
            terms = self._client.meta.get("termsOfService")
            agreed = f", which agreed to {terms[:200]}" if isinstance(terms, str) else ""
            self._advise(f"{WHO}: a new account was made for {self._options['account_key']}{agreed}")
            return _location(answer)
        return self._with_contact(answer)

    def _with_contact(self, answer: Answer) -> str:
        """Return the URL of an account that is there, after its contact was put right."""
        url, there = _location(answer), answer.object("account").get("contact")
        if self._contact and (not isinstance(there, list) or set(map(str, there)) != set(self._contact)):
            payload = {"contact": list(self._contact)}
            self._client.post(url, payload, "a change of the account", key=self.key, kid=url)
        return url

    def _asked(self, key: AccountKey, payload: Payload) -> Answer | None:
        """Ask for an account; None where there is none and none was to be made."""
        try:
            url = self._client.url("newAccount")
            return self._client.post(url, payload, "the account", key=key, kid=None)
        except NoAccount:
            return None
        except Refused as refused:
            bound = "eab: kid and hmac_key" if self._options.get("eab") else "account_key"
            raise LoggedOut(f"{str(refused).partition(';')[0]}; look at issuer.acme.{bound}") from None

    def _taken_over(self) -> str | None:
        """Give the account of `previous_account_key` this key (RFC 8555, 7.3.5); None where there is none.

        Raises LoggedOut where that file is gone: its account would be lost, and another one made in its place.
        """
        said = self._options.get("previous_account_key")
        if not said:
            return None
        before = load(said, "previous_account_key")
        if before is None:
            raise LoggedOut(
                f"{WHO}: the server has no account of {self._options['account_key']} yet, and {said} is not there to "
                "give it one; put it back, or take issuer.acme.previous_account_key out to have a new account"
            )
        answer = self._asked(before, {"onlyReturnExisting": True})
        if answer is None:
            return None
        url, place = _location(answer), self._client.url("keyChange")
        payload = {"account": url, "oldKey": before.jwk.public_key().to_json()}
        inner = json.loads(signed(self.key, place, payload))
        self._client.post(place, inner, "the change of the account's key", key=before, kid=url)
        now = self._options["account_key"]
        self._advise(f"{WHO}: the account has the key of {now} now; take {said} away, and previous_account_key out")
        return url

    def _binding(self) -> dict[str, t.Any] | None:
        """Return what binds the account to one elsewhere (RFC 8555, 7.3.4)."""
        eab = self._options.get("eab")
        if not eab:
            return None
        library()
        from acme.messages import ExternalAccountBinding

        try:
            secret = str(eab["hmac_key"]).rstrip("=")
            directory = t.cast("t.Any", {"newAccount": self._client.url("newAccount")})
            return ExternalAccountBinding.from_data(self.key.jwk.public_key(), str(eab["kid"]), secret, directory)
        except (ValueError, TypeError, binascii.Error):
            raise Misconfigured(f"{OPTION}.eab.hmac_key is not base64url; write it as the authority gave it") from None


def _location(answer: Answer) -> str:
    """Return the URL that an answer leads to."""
    found = str(answer.headers.get("Location", ""))
    if not found.startswith("https://"):
        raise not_understood("account")
    return found
