# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The beginning of an order: what is asked for (RFC 8555, 7.4; profiles; RFC 9773, 5)."""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import key_type_of
from ...module_utils._core.ports import Order
from .._request import check_is_declared
from .address import OPTION, WHO, check_key, check_names
from .errors import Refused, not_understood
from .order import identifiers
from .renewal import identifier

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Request
    from .account import Account
    from .client import Client
    from .errors import Answer


class NewOrders:
    """Begins orders. A server that takes no wishes about the life of a certificate is then asked without."""

    def __init__(self, client: Client, account: Account, options: t.Mapping[str, t.Any]) -> None:
        """Keep whom to ask."""
        self._client, self._account, self._options = client, account, options
        self._with_life = True

    def order(self, request: Request) -> tuple[str, dict[str, t.Any]]:
        """Begin an order; return its URL and what it is. Raises KeysteadError."""
        check_names(self._options, request.subject)
        check_is_declared(request, WHO)
        check_key(key_type_of(x509.load_der_x509_csr(request.csr).public_key()))
        answer = self._asked(request)
        url = str(answer.headers.get("Location", "")).partition("#")[0]
        if not url.startswith("https://") or not url.isprintable():
            raise not_understood("order")
        return url, answer.object("order")

    def _asked(self, request: Request) -> Answer:
        payload: dict[str, t.Any] = {"identifiers": identifiers(Order(request, ""))}
        if self._options.get("profile"):
            payload["profile"] = self._profile()
        if replaced := self._replaced(request):
            with contextlib.suppress(Refused):  # it was replaced already, or other names are wanted now
                return self._with_or_without_life(request, {**payload, "replaces": replaced})
        return self._with_or_without_life(request, payload)

    def _replaced(self, request: Request) -> str | None:
        """Return what names the certificate that is to be replaced (RFC 9773, 5), for a server that knows of it."""
        knows = isinstance(self._client.directory.get("renewalInfo"), str)
        return identifier(request.replaces) if knows and request.replaces else None

    def _with_or_without_life(self, request: Request, payload: dict[str, t.Any]) -> Answer:
        if self._with_life:
            ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=request.lifetime)
            try:
                return self._post(request, {**payload, "notAfter": f"{ends:%Y-%m-%dT%H:%M:%SZ}"})
            except Refused as refused:
                if refused.code not in ("malformed", "unsupported"):
                    raise
            answer = self._post(request, payload)
            self._with_life = False  # that was why
            return answer
        return self._post(request, payload)

    def _post(self, request: Request, payload: dict[str, t.Any]) -> Answer:
        return self._account.post(self._client.url("newOrder"), payload, f"an order for {request.name}")

    def _profile(self) -> str:
        """Return the profile, which the server has to have. Raises Misconfigured."""
        wanted, known = str(self._options["profile"]), self._client.meta.get("profiles")
        if not isinstance(known, dict) or wanted not in known:
            has = ", ".join(sorted(map(str, known)))[:200] if isinstance(known, dict) and known else "none"
            raise Misconfigured(f"{OPTION}.profile: the server has no profile {wanted}, it has {has}; correct it")
        return wanted
