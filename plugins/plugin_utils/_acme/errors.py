# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a server answers, or does not, as errors that say what to do next (RFC 8555, 6.7; RFC 7807)."""

from __future__ import annotations

import json
import math
import re
import typing as t

from ...module_utils._core.errors import (
    Denied,
    Ended,
    KeysteadError,
    Lost,
    Misconfigured,
    Pending,
    Unavailable,
    Unreached,
)
from .._retry_after import retry_after
from .address import WHO

if t.TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 240  # of what a server says
_PREFIX = "urn:ietf:params:acme:error:"
_CODE = re.compile(rf"{_PREFIX}([A-Za-z]{{1,40}})")


class Silent(Unavailable):
    """It did not answer in time: whoever asks again waits as long again."""


class Refused(Denied):
    """The server understood the call and said no: `status` (RFC 9110) and the `code` of its problem."""

    def __init__(self, message: str, status: int, code: str) -> None:
        """Keep what the caller may know better words for."""
        super().__init__(message)
        self.status, self.code = status, code


class Nothing(Misconfigured):
    """There is nothing at a URL: the directory is wrong, or what once was there is gone."""


class LoggedOut(Denied):
    """There is no account, so no other call can go well either."""


class NoAccount(LoggedOut):
    """The server has no account of this key."""


class Answer(t.NamedTuple):
    """The status, the headers and the bytes of an answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def object(self, what: str = "answer") -> dict[str, t.Any]:
        """Return the JSON object that it is. Raises Unavailable where it is none."""
        found = _parsed(self.content)
        if not isinstance(found, dict):
            raise not_understood(what)
        return found

    @property
    def code(self) -> str:
        """The problem that it is, without the prefix of ACME; empty where it is none."""
        return code_of(_parsed(self.content))

    @property
    def said(self) -> str:
        """What its problem says, shortened."""
        return detail(_parsed(self.content))


def _parsed(content: bytes) -> t.Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def code_of(problem: t.Any) -> str:
    """Return the type of a problem document, without the prefix of ACME; empty where it has none."""
    found = _CODE.fullmatch(str(problem.get("type", ""))) if isinstance(problem, dict) else None
    return found[1] if found else ""


def detail(problem: t.Any) -> str:
    """Return what a problem document says, with what it says of single names, shortened."""
    if not isinstance(problem, dict) or not code_of(problem):
        return ""
    below = problem.get("subproblems")
    several = [detail(one) for one in below if isinstance(one, dict)] if isinstance(below, list) else []
    return "; ".join(filter(None, [str(problem.get("detail", "")), *several]))[:LONGEST].strip()


def not_asked(over: KeysteadError | None) -> KeysteadError | None:
    """Return the error of a request that nobody is asked any more, since another one was answered like this."""
    return Unreached(str(over)) if isinstance(over, Unavailable) else over


def plain(error: KeysteadError) -> KeysteadError:
    """Return an error as one of the kinds that the rest of the house knows."""
    kinds = (Lost, Ended, Denied, Unreached, Unavailable)
    return next((kind(str(error)) for kind in kinds if isinstance(error, kind)), error)


def not_understood(what: str) -> Unavailable:
    """Return the error of what no ACME server says, so that nothing can follow from it."""
    return Unavailable(f"{WHO}: its {what} cannot be understood; run again, and look whether directory_url is right")


def text(found: Mapping[str, t.Any], name: str, what: str = "answer") -> str:
    """Return a string of an object. Raises Unavailable where there is none."""
    value = found.get(name)
    if not isinstance(value, str):
        raise not_understood(what)
    return value


def failure(answer: Answer, what: str, said: str) -> KeysteadError | None:  # noqa: PLR0911 - one an answer
    """Return the error of an answer, None where it went well. `said` is what may be repeated of its words."""
    status, code, about = answer.status, answer.code, f" ({said})" if said else ""
    if status < 300:
        return None
    if status < 400:
        return Nothing(f"{WHO}: it redirects {what}, which is not followed; write the directory's https URL")
    if status == 429 or code == "rateLimited":
        seconds = retry_after(answer.headers)
        return Pending(f"{WHO}: it has a limit for {what}{about}; run again in {math.ceil(seconds)} s", seconds)
    if status >= 500:
        return Unavailable(f"{WHO}: it answers {what} with status {status}{about}; see its log and run again")
    if code in _REMEDIES:
        kind, remedy = _REMEDIES[code]
        return kind(f"{WHO}: {what} is refused{about or f': {code}'}; {remedy}")
    if status == 404 and not code:
        return Nothing(f"{WHO}: there is nothing for {what}; correct directory_url")
    remedy = "see its documentation, or its log" if code else "check directory_url, and what is in between"
    return Refused(f"{WHO}: {what} is refused{about or f' with status {status}'}; {remedy}", status, code)


_REMEDIES: dict[str, tuple[type[KeysteadError], str]] = {
    "externalAccountRequired": (LoggedOut, "write issuer.acme.eab with kid and hmac_key, as the authority gave them"),
    "accountDoesNotExist": (NoAccount, "name another account_key, or run again to make an account"),
    "userActionRequired": (Misconfigured, "do what it says, for example agree to its new terms, and run again"),
    "invalidContact": (Misconfigured, "correct issuer.acme.contact"),
    "unsupportedContact": (Misconfigured, "correct issuer.acme.contact"),
    "badPublicKey": (Denied, "write another key.type, for example ecdsa-p256 or rsa-3072"),
    "rejectedIdentifier": (Denied, "name others, or ask another authority"),
    "unsupportedIdentifier": (Denied, "name others, or ask another authority"),
    "caa": (Denied, "let the CAA records of that name permit this authority (RFC 8659)"),
    "invalidProfile": (Misconfigured, "correct issuer.acme.profile"),
}
