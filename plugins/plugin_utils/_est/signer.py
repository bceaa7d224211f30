# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Has requests signed by an EST server: the work behind the issuer `est`."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import time
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Pending, Unavailable, Unreached
from ...module_utils._core.keys import spki_sha256
from ...module_utils._core.pki import MALFORMED
from ...module_utils._core.ports import Order
from ...module_utils._enrol.unreachable import LoggedOut, Silent
from .._edge import unexpected
from .._openbao.errors import plain
from .._request import check_is_declared
from .._roots import declared_roots
from .._shortened import shortened
from .address import WHO
from .asked import check
from .chain import above
from .client import Later
from .roots import is_authority, leads, pinned_root

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Request
    from .asked import Wish
    from .client import Client

Answer = t.Union["Generation", Order, KeysteadError]
_OVER = (Silent, Misconfigured, Pending, LoggedOut)  # what the next request would meet as well
_SHOWN = 4  # authorities of a server


class Signer:
    """What the issuer does once it has something to do."""

    def __init__(
        self, client: Client, id_: str, options: Mapping[str, t.Any], pinned: str | None, advise: Callable[[str], None]
    ) -> None:
        """Keep whom to ask, and read the roots that the task declares."""
        self._client, self._id, self._pinned, self._advise = client, id_, pinned, advise
        self._declared = list(map(x509.load_der_x509_certificate, declared_roots(options, "est")))
        self._not_before: dict[str, float] = {}  # when an order may be asked for again, by time.monotonic
        self._wanted: tuple[Wish, ...] | None = None

    def roots(self) -> tuple[bytes, ...]:
        """Return the trusted roots (DER). Raises Denied where a server does not name the one that is pinned."""
        return tuple(one.public_bytes(Encoding.DER) for one in self._roots())

    def _roots(self) -> list[x509.Certificate]:
        return [pinned_root(self._named, self._pinned)] if self._pinned else self._declared

    def check(self) -> int:
        """Ask the server for its authorities, and return how many roots are trusted. Raises KeysteadError."""
        self.check_leads(self._named)
        return len(self._roots())

    def check_leads(self, named: Sequence[x509.Certificate]) -> None:
        """Raise Denied where what a server names leads to no trusted root: then nobody is to be asked to sign."""
        if self._pinned:
            pinned_root(named, self._pinned)
        elif not leads(named, self._declared):
            found = ", ".join(pki.fingerprint(one.public_bytes(Encoding.DER)) for one in named[:_SHOWN])
            raise Denied(
                f"{WHO}: none of its authorities (cacerts) is a root of issuer.est.roots, or signed by one; they have "
                f"the fingerprints {found}; name the root that its operator tells you, or correct url or label"
            )

    @functools.cached_property
    def _named(self) -> list[x509.Certificate]:
        return self._client.authorities()

    def _ask_what_is_wanted(self) -> None:
        """Ask what every request has to have (RFC 7030, 4.5), once, and before the first one is sent."""
        if self._wanted is None:
            self._wanted = self._client.wanted()

    def sign(self, requests: Sequence[Request]) -> list[Answer]:
        """Ask for one after the other. What ends all of them is asked for once, a broken server twice in a row."""
        try:
            if requests:
                self.check_leads(self._named)
                self._ask_what_is_wanted()
        except KeysteadError as error:  # nobody was asked to sign
            told = plain(Unreached(str(error)) if isinstance(error, Unavailable) else error)
            return [told] * len(requests)
        return self._each(requests, self._signed)

    def poll(self, orders: Sequence[Order]) -> list[Answer]:
        """Ask again for what was not decided yet, each not before its time."""
        return self._each(orders, self._polled)

    def _each(self, asked: Sequence[t.Any], ask: Callable[[t.Any], Generation | Order]) -> list[Answer]:
        answers: list[Answer] = []
        over: KeysteadError | None = None
        try:
            for one in asked:
                last, answer = answers[-1] if answers else None, _not_asked(over) or _told(ask, one)
                answers.append(plain(answer) if isinstance(answer, KeysteadError) else answer)
                if isinstance(answer, _OVER) or (isinstance(answer, Unavailable) and isinstance(last, Unavailable)):
                    over = answer
        finally:
            self._client.close()  # an idle connection that the server ended meanwhile would cost an answer
        return answers

    def _signed(self, request: Request) -> Generation | Order:
        check_is_declared(request, WHO)
        for oid in check(self._wanted or (), request):
            self._advise(f"{WHO}: it wants {oid} in requests, which nobody here knows; it is passed over")
        return self.taken(request, self._client.enrol(request.csr))

    def _polled(self, order: Order) -> Generation | Order:
        if order.reference != reference(order.request):
            raise Denied(f"{WHO}: it knows no order {order.reference}; run again")
        left = self._not_before.get(order.reference, 0.0) - time.monotonic()
        if left > 0:
            return order._replace(retry_after=left)
        return self.taken(order.request, self._client.enrol(order.request.csr))

    def taken(
        self, request: Request, answer: list[x509.Certificate] | Later, named: Sequence[x509.Certificate] | None = None
    ) -> Generation | Order:
        """Return what an answer is to a request; `named` are the authorities that came with it."""
        if isinstance(answer, Later):
            order = Order(request, reference(request), answer.seconds)
            self._not_before[order.reference] = time.monotonic() + answer.seconds
            return order
        if named is not None:
            self._named = list(named)
        leaf = granted_of(answer, request, self._named)
        if advice := shortened(WHO, request, leaf):
            self._advise(advice)
        return self._generation(leaf, [*answer, *self._named])

    def _generation(self, leaf: x509.Certificate, named: Sequence[x509.Certificate]) -> Generation:
        return above(leaf, named, self._roots()).generation(leaf, self._id)


def granted_of(
    answer: Sequence[x509.Certificate], request: Request, named: Sequence[x509.Certificate]
) -> x509.Certificate:
    """Return the certificate for the key of a request, or one for another key, which V1 refuses and says what it is.

    No authority is meant: who is told that one of their serial numbers is an orphan may revoke it. Raises Unavailable.
    """
    key = spki_sha256(x509.load_der_x509_csr(request.csr).public_key())
    others = [one for one in answer if one not in named and not is_authority(one)]
    for one in (*(one for one in answer if spki_sha256(one.public_key()) == key), *others):
        return one
    raise Unavailable(
        f"{WHO}: it answers that it signed, but no certificate for the key of {request.name} is in it; see its log"
    )


def reference(request: Request) -> str:
    """Return what names an order: a server gives it no name, and knows it by the request itself (RFC 7030, 4.2.3)."""
    return hashlib.sha256(request.csr).hexdigest()


def _told(ask: Callable[[t.Any], Generation | Order], one: t.Any) -> Answer:
    try:
        return ask(one)
    except KeysteadError as error:
        return error
    except MALFORMED:
        return Unavailable(f"{WHO}: its answer to a request cannot be understood; see its log")
    except Exception as error:  # noqa: BLE001 - what was signed before must not get lost with it
        return Unavailable(unexpected(WHO, error))


def _not_asked(over: KeysteadError | None) -> KeysteadError | None:
    """Return the error of a request that nobody is asked any more, since another one was answered like this."""
    return Unreached(str(over)) if isinstance(over, Unavailable) else over
