# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When the way into an OpenBao ends, and its revocation list: found out without using anything up."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from .._auth.registry import Limited
from .._endings import Ending
from .errors import Refused, section

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .._auth.registry import Login
    from .client import Client
    from .lists import Lists


def endings(client: Client, login: Login, lists: Lists, issuer_id: str) -> Iterator[Ending]:
    """Yield when the revocation list of an issuer ends, and what logs in there. Raises KeysteadError."""
    der = lists.complete()
    if der:
        crl = x509.load_der_x509_crl(der)
        remedy = "let the mount make its list by itself (auto_rebuild in config/crl), or read its crl/rotate"
        yield Ending("list", issuer_id, "", remedy, crl.next_update_utc, crl.last_update_utc)
    yield from of_login(client, login, issuer_id)


def of_login(client: Client, login: Login, issuer_id: str) -> Iterator[Ending]:
    """Yield when what logs in ends. Raises KeysteadError."""
    if not isinstance(login, Limited):
        return
    if client.opens_once():
        found, remedy = "wrapped_secret_id can be unwrapped: a look would use it up", "watch a login that stays"
        yield Ending("login", issuer_id, found, remedy, state="unknown")
        return
    try:
        token = section(client.call("GET", "auth/token/lookup-self"), "data")
    except Refused:
        found, remedy = "the login may not look at itself", "let its policy read auth/token/lookup-self"
        yield Ending("login", issuer_id, found, remedy, state="unknown")
        return
    yield login.ending(client.call, token)._replace(name=issuer_id)
