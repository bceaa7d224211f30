# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a server answers, or does not, as errors that say what to do next. No text of a library is repeated."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Pending, Unavailable, Unreached

if t.TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 300  # of what a server says
LONGEST_PAUSE = 86400.0  # seconds
WHO = "openbao"
_SEALED = "is sealed"


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
        return "; ".join(map(str, errors))[:LONGEST].strip() if isinstance(errors, list) else ""


def failure(answer: Answer, method: str, path: str, said: str) -> KeysteadError | None:
    """Return the error of an answer, None where it went well. `said` is what may be repeated of its words."""
    if answer.status < 300:
        return None
    if answer.status == 403:
        right = {"LIST": "list", "GET": "read"}.get(method, "update")
        told = f"the login may not {right} {path} ({said or 'it says no more'})"
        remedy = f"give its policy the capability {right} there, or correct mount, role or namespace"
        return Refused(f"{WHO}: {told}; {remedy}", 403, said)
    return _failure(answer, path, said)


def _failure(answer: Answer, path: str, said: str) -> KeysteadError:
    status, about = answer.status, f" ({said})" if said else ""
    if status < 400:
        return Misconfigured(f"{WHO}: it redirects {path}, which is not followed; write the server's https URL")
    if status == 429:
        return Pending(f"{WHO}: it has too much to do{about}; run again later", retry_after(answer.headers))
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


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that Retry-After names (RFC 9110, 10.2.3); 1 where it names none, or a date."""
    value = str(headers.get("Retry-After", ""))
    return min(float(value), LONGEST_PAUSE) if re.fullmatch("[0-9]{1,9}", value) else 1.0
