# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One POST to somebody else's server: TLS is verified, nothing is followed, and one deadline holds for all of it."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..module_utils._core.errors import Denied, Unavailable
from ._deadline import once
from ._https_adapter import Verifying
from ._receivers.unreachable import why
from ._tls import context

ACCEPTED = range(200, 300)


class Address(t.NamedTuple):
    """Where to post to: whom we trust there, how long it may take, and the option that says so."""

    url: str
    ca_bundle: str | None
    seconds: float
    option: str
    place: str
    who: str


def is_url(url: str, schemes: t.Collection[str] = ("https",)) -> bool:
    """Tell whether something is an address to post to: no user, no password, no fragment, nothing invisible."""
    try:
        found = urlsplit(url)
        sound = found.scheme in schemes and found.hostname and not found.username and not found.fragment
        found.port  # noqa: B018 - raises for what is none
    except ValueError:
        return False
    return bool(sound) and url.isprintable() and " " not in url


def post(to: Address, content: bytes, headers: t.Mapping[str, str], what: str) -> None:
    """Post. Raises Unavailable where nobody answers, or not now, and Denied where `what` is refused."""
    tls = context(to.ca_bundle, who=to.option)
    try:
        status = once(to.seconds, lambda: _posted(to, content, headers, tls))
    except Exception as error:
        import requests

        if not isinstance(error, (OSError, ValueError, requests.RequestException)):  # a name that can be none
            raise
        raise Unavailable(f"{to.who}: {to.place} cannot be reached ({why(error)}); run again") from None
    if status not in ACCEPTED:
        kind = Denied if status in range(400, 500) else Unavailable
        raise kind(f"{to.who}: {to.place} did not take {what}: it answered {status}; see its log")


def _posted(to: Address, content: bytes, headers: t.Mapping[str, str], tls: t.Any) -> int:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", Verifying(tls))
        with session.post(
            to.url, data=content, headers=dict(headers), timeout=to.seconds, stream=True, allow_redirects=False
        ) as response:
            return int(response.status_code)
