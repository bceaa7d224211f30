# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `acme`: a server of RFC 8555, public or private. The controller speaks to it, and holds the account."""

from __future__ import annotations

import functools
import typing as t

from .._acme.address import OPTION, address, contact, on_host
from .._acme.dns_options import check, check_file
from .._advice import Advice

if t.TYPE_CHECKING:
    from ...module_utils._core.challenge import Challenge
    from ...module_utils._core.errors import KeysteadError
    from ...module_utils._core.model import Credential, Generation, Subject, X509Facts
    from ...module_utils._core.ports import Check, Order, Request, Revoked, Unknown
    from ...module_utils._core.schedule import Schedule
    from .._acme.account import Account
    from .._acme.client import Client
    from .._acme.orders import Orders
    from .._acme.revocation import Revocations
    from .._endings import Ending


class AcmeIssuer:
    """Issuer and every further power but Lister over `{directory_url, account_key, contact, eab, challenge, ...}`.

    Making one reads options alone: a run that has nothing to issue opens no connection and imports no client.
    """

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        self._options, self._where = options, address(options)
        self._on_host = on_host(options["challenge"])
        contact(options)
        if (by_dns := options["challenge"].get("dns_01")) is not None:
            check(by_dns)
        self._advice = Advice()
        self.id = f"acme:{self._where.url}"

    @property
    def place(self) -> str:
        """Where the issuer is; who signs there may change, so it is in neither (ADR 11)."""
        return self.id

    @functools.cached_property
    def _client(self) -> Client:
        from .._acme.client import Client

        eab = self._options.get("eab") or {}
        return Client(self._where, tuple(str(one) for one in (eab.get("hmac_key"),) if one))

    @functools.cached_property
    def _account(self) -> Account:
        from .._acme.account import Account

        return Account(self._client, self._options, self._advice)

    @functools.cached_property
    def _orders(self) -> Orders:
        from .._acme.assembled import orders

        return orders(self._client, self._account, self._options, self.id, self._advice)

    @functools.cached_property
    def _revocations(self) -> Revocations:
        from .._acme.revocation import Revocations

        return Revocations(self._client, self._account, self._advice)

    def roots(self) -> tuple[bytes, ...]:
        """Return the declared roots (DER), else those that the system trusts: a server of ACME names none."""
        from .._acme.roots import roots

        return roots(self._options)

    def foresee(self, subject: Subject, current: Credential | None) -> bool:  # noqa: ARG002 - it is the same for all
        """Read the secret of a name server; nothing of it goes to a host. Raises Misconfigured."""
        check_file(self._options["challenge"].get("dns_01") or {})
        return False

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Begin an order for each request; nothing is validated or signed yet."""
        return self._orders.begin(requests)

    def challenges(self, orders: t.Sequence[Order]) -> list[tuple[Challenge, ...] | KeysteadError]:
        """Return what is to be shown on the host for each order; nothing where control is shown by DNS."""
        return self._orders.challenges(orders)

    def shown(self, orders: t.Sequence[Order]) -> list[Order | KeysteadError]:
        """Return orders with the TXT records that are going to be placed for them in their references."""
        return self._orders.shown(orders)

    def clear(self, references: t.Sequence[str]) -> list[str]:
        """Take away the TXT records of orders that are over; return the references of which nothing is left."""
        return self._orders.clear(references)

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Go on with all orders side by side, also with those of an earlier run."""
        return self._orders.finish(orders)

    def remedy(self, found: X509Facts, request: Request) -> str:  # noqa: ARG002 - no request would change it
        """Say where a root is named that a server of ACME never names; empty where that is not what is wrong."""
        above = self._orders.astray(found.serial_number)
        return f"name the certificate of {above}, if you trust it, in {OPTION.partition(' ')[2]}.roots" if above else ""

    def schedule(self, certificate: bytes) -> Schedule:
        """Return when the server wants a certificate (DER) renewed; nobody has to be logged in."""
        from .._acme.renewal import schedule

        return schedule(self._client, certificate)

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) of this account back."""
        return self._revocations.revoke(certificates, reason)

    def status(self, certificate: bytes) -> Unknown:  # noqa: ARG002 - nobody can be asked
        """Say that nobody knows: ACME has no question for it."""
        from ...module_utils._core.ports import Unknown

        return Unknown()

    def advice(self) -> list[str]:
        """Return what is to be said beside the answers, and was not returned yet."""
        return self._advice.take()

    def endings(self) -> t.Iterator[Ending]:
        """Yield how the account stands; raises KeysteadError where the server refuses it."""
        from .._acme.endings import endings

        return endings(self._account, str(self._options["account_key"]), self.id)

    def preflight(self) -> t.Iterator[Check]:
        """Yield whether server, account and profile are fit; raises KeysteadError for what is not."""
        from .._acme.preflight import checks

        return checks(self._client, self._account, self._options)
