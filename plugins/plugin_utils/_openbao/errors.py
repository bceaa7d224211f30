# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a server answers, or does not, as errors that say what to do next. No text of a library is repeated."""

from __future__ import annotations

import contextlib
import math
import re
import typing as t

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Pending, Unavailable, Unreached
from .._retry_after import retry_after

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST = 300  # of what a server says
WHO = "openbao"
_SEALED = "is sealed"
_COUNTED = re.compile(r"^\d+ errors? occurred:\s*\*\s*")  # how a list of errors is written where there is one


class Silent(Unavailable):
    """It did not answer in time: whoever asks again waits as long again."""


class Refused(Denied):
    """The server understood the call and said no: `status` (RFC 9110) and what it said."""

    def __init__(self, message: str, status: int, said: str) -> None:
        """Keep what the caller may know better words for."""
        super().__init__(message)
        self.status, self.said = status, said


class LoggedOut(Denied):
    """Nobody is logged in, so no other call can go well either."""


def section(content: Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    """Return the object `name` of an answer. Raises Unavailable where there is none."""
    found = content.get(name)
    if not isinstance(found, dict):
        raise not_understood("answer")
    return found


def not_understood(what: str) -> Unavailable:
    """Return the error of what this server would not say, so that nothing can follow from it."""
    return Unavailable(f"{WHO}: its {what} cannot be understood; run again, and look whether url is right")


@contextlib.contextmanager
def spoken_by(who: str) -> Iterator[None]:
    """Let errors begin with who speaks to the server in the place of the issuer: both have the same client."""
    try:
        yield
    except KeysteadError as error:
        error.args = (f"{who}: {str(error).removeprefix(f'{WHO}: ')}",)
        raise


def plain(error: KeysteadError) -> KeysteadError:
    """Return an error as one of the kinds that the rest of the house knows."""
    return next((kind(str(error)) for kind in (Denied, Unreached, Unavailable) if isinstance(error, kind)), error)


class Answer(t.NamedTuple):
    """The status, the headers and the JSON of an answer; empty where it has none."""

    status: int
    headers: Mapping[str, str]
    content: dict[str, t.Any]

    @property
    def said(self) -> str:
        """The errors that it lists, shortened."""
        errors = self.content.get("errors")
        told = map(_listed, errors) if isinstance(errors, list) else ()
        return "; ".join(told)[:LONGEST].strip()


def _listed(error: t.Any) -> str:
    """Return an error that may itself be a list, as the server writes one, on one line."""
    whole = str(error)
    told = _COUNTED.sub("", whole)
    return told if told == whole else re.sub(r"\s*\n\s*\*\s*", "; ", told).strip()


def failure(answer: Answer, method: str, path: str, said: str, *, public: bool = False) -> KeysteadError | None:
    """Return the error of an answer, None where it went well. `said` is what may be repeated of its words.

    `public` is what nobody has to be logged in for: there, a server answers 403 for what is not there.
    """
    if answer.status < 300:
        return None
    if answer.status == 403 and public:
        told = f"there is nothing at {path}, or it may not be read without a login ({said or 'it says no more'})"
        return Refused(f"{WHO}: {told}; correct mount, namespace or url", 403, said)
    if answer.status == 403:
        right = {"LIST": "list", "GET": "read", "DELETE": "delete"}.get(method, "update")
        told = f"the login may not {right} {path} ({said or 'it says no more'})"
        remedy = f"give its policy the capability {right} there, or correct mount, role or namespace"
        return Refused(f"{WHO}: {told}; {remedy}", 403, said)
    return _failure(answer, path, said)


def _failure(answer: Answer, path: str, said: str) -> KeysteadError:
    status, about = answer.status, f" ({said})" if said else ""
    if status < 400:
        return Misconfigured(f"{WHO}: it redirects {path}, which is not followed; write the server's https URL")
    if status == 429:
        seconds = retry_after(answer.headers)
        return Pending(f"{WHO}: it has too much to do{about}; run again in {math.ceil(seconds)} s", seconds)
    if status in (472, 473) or status >= 500:
        kind = Unreached if status in (472, 473) or _SEALED in said else Unavailable
        return kind(f"{WHO}: {_broken(status, said)} and run again")
    if status == 404:
        return Refused(f"{WHO}: there is nothing at {path}{about}; correct mount, namespace or url", status, said)
    return Refused(f"{WHO}: {path} is refused{about or f' with status {status}'}; see its log", status, said)


def _broken(status: int, said: str) -> str:
    if _SEALED in said:
        return "it is sealed; unseal it"
    if status in (472, 473):
        return "it is a standby that answers nothing; correct url"
    return f"it answers with status {status}{f' ({said})' if said else ''}; see its log"
