# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The list of ways to log in to OpenBao and Vault: name, and who makes one from its options."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from .._openbao.address import path
from .._openbao.errors import LoggedOut, Refused, not_understood, section

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .._endings import Ending

Options = t.Mapping[str, t.Any]


class Call(t.Protocol):
    """One call of the server, answered as JSON. Raises KeysteadError; Refused where the server said no."""

    def __call__(
        self, method: str, path: str, body: Mapping[str, t.Any] | None = None, *, token: str | None = None
    ) -> dict[str, t.Any]: ...


Asks = t.Callable[[str, str, "Mapping[str, t.Any] | None"], dict[str, t.Any]]
"""The same by who is logged in already."""


class Grant(t.NamedTuple):
    """A token, how long it is good for in seconds (0: as long as it is), and whether it can be renewed."""

    token: str
    seconds: int = 0
    renewable: bool = False


class Login(t.Protocol):
    """A way to log in. Making one reads options only; files, environment and server are read by `login`.

    `option` is what a message begins with. `certificate` are the paths of a certificate and its key for the handshake.
    `again` tells whether another login, later, may give another token. `check` reads what the controller has for it,
    and asks nobody; it raises Misconfigured for what `login` could not use.
    """

    @property
    def option(self) -> str: ...

    @property
    def certificate(self) -> tuple[str, str] | None: ...

    @property
    def again(self) -> bool: ...

    def check(self) -> None: ...

    def login(self, call: Call) -> Grant: ...


@t.runtime_checkable
class OpensOnce(t.Protocol):
    """A login that may use up what it has; to ask whether it will uses up nothing. Raises LoggedOut where it has."""

    def opens_once(self, call: Call) -> bool: ...


@t.runtime_checkable
class Limited(t.Protocol):
    """A login by something that ends: tells when, of what it has, or by asking with `call` as who is logged in.

    `token` is what the server says of the token that it gave. Raises KeysteadError.
    """

    def ending(self, call: Asks, token: Mapping[str, t.Any]) -> Ending: ...


def moment(said: t.Any) -> datetime | None:
    """Read a moment of the server, which has nanoseconds; None where it says none."""
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(said)))
    except ValueError:
        return None
    return found if found.year > 1 and found.tzinfo else None


def granted(answer: Mapping[str, t.Any], option: str) -> Grant:
    """Return the token of a login's answer. Raises LoggedOut where a second factor is asked for, else Unavailable."""
    auth = section(answer, "auth")
    token, seconds = auth.get("client_token"), auth.get("lease_duration")
    if auth.get("mfa_requirement"):
        raise LoggedOut(f"{option}: the server gives no token for it alone; let it log in without a second factor")
    if not isinstance(token, str) or not token:
        raise not_understood("answer to the login")
    return Grant(token, seconds if isinstance(seconds, int) else 0, auth.get("renewable") is True)


def unaccepted(refused: Refused, option: str, remedy: str) -> LoggedOut:
    """Return the error of a login that the server refused."""
    return LoggedOut(f"{option}: the server does not accept it ({refused.said or 'it says no more'}); {remedy}")


def _token(options: Options, option: str) -> Login:
    from .token import TokenLogin

    return TokenLogin(options, option)


def _approle(options: Options, option: str) -> Login:
    from .approle import AppRoleLogin

    return AppRoleLogin(options, option)


def _cert(options: Options, option: str) -> Login:
    from .cert import CertLogin

    return CertLogin(options, option)


def _jwt(options: Options, option: str) -> Login:
    from .jwt import JwtLogin

    return JwtLogin(options, option)


AUTH: dict[str, t.Callable[[Options, str], Login]] = {
    "token": _token, "approle": _approle, "cert": _cert, "jwt": _jwt,
}  # fmt: skip


def login_of(auth: t.Mapping[str, Options]) -> Login:
    """Return the one way to log in that `auth` names. Raises Misconfigured."""
    ((name, options),) = auth.items()
    option = f"openbao: auth.{name}"
    mount = {"mount": path(options["mount"], f"{option}.mount")} if "mount" in options else {}
    return AUTH[name]({**options, **mount}, option)
