# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One order on its way (RFC 8555, 7.1.6): what it waits for, and what ended it."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
import typing as t
from dataclasses import dataclass, field

from ...module_utils._core.errors import Denied, KeysteadError, Lost, Unavailable
from .address import WHO
from .errors import LONGEST, detail, not_understood, text
from .reference import Reference

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,512}", re.ASCII)  # RFC 8555, 8.3: at least 128 bits
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 3.0  # seconds, where the server names none
Body = t.Mapping[str, t.Any]


class Wanted(t.NamedTuple):
    """An authorization that is pending: for which identifier, and the challenge that is to be met."""

    identifier: str
    token: str
    url: str
    status: str


@dataclass
class Track:
    """An order of this account, and how far it is. `result` ends its way; `fresh` was begun by this very run."""

    order: Order
    fresh: bool
    body: Body = field(default_factory=dict)
    wanted: tuple[Wanted, ...] = ()
    shown: tuple[Wanted, ...] = ()
    finalised: bool = False
    result: Generation | KeysteadError | None = None
    due: float = 0.0
    pause: float = _FIRST_PAUSE

    @property
    def refused(self) -> KeysteadError:
        """What ended the way of an order that was only looked at."""
        return t.cast("KeysteadError", self.result)

    @property
    def url(self) -> str:
        """Where the order is."""
        return Reference.of(self.order.reference).url

    @property
    def told(self) -> bool:
        """Whether an earlier run told the server to look: to tell it again would make some begin anew."""
        return Reference.of(self.order.reference).told

    @property
    def name(self) -> str:
        """The name of the identity."""
        return self.order.request.name

    @property
    def status(self) -> str:
        """The order's status, as the server said it last."""
        return text(self.body, "status", "order")

    def fail(self, error: KeysteadError) -> None:
        """End its way; what may have been signed stays open."""
        closes = isinstance(error, Lost) or (isinstance(error, Denied) and not self.finalised)
        self.result = error if closes or not isinstance(error, Denied) else Unavailable(str(error))

    def wait(self, seconds: float | None) -> None:
        """Look again later: when the server said, else, or where it said at once, after a pause that grows."""
        self.due = time.monotonic() + (seconds or self.pause)
        self.pause = min(_LONGEST_PAUSE, 1.5 * self.pause)

    def left(self) -> Order:
        """Return the order for whoever asks again."""
        reference = str(Reference.of(self.order.reference)._replace(told=True))
        return self.order._replace(reference=reference, retry_after=max(0.1, self.due - time.monotonic()))

    def urls(self, name: str) -> list[str]:
        """Return a list of URLs of the order."""
        found = self.body.get(name)
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise not_understood("order")
        return found

    def check_goes_on(self) -> None:
        """Refuse an order for other names than are wanted now, and one of an earlier run that has expired.

        Raises Denied, and Lost where it may be signed.
        """
        wanted = {(one["type"], one["value"]) for one in identifiers(self.order)}
        listed = self.body.get("identifiers")
        if not isinstance(listed, list) or wanted != {_pair(one) for one in listed}:
            kind = Lost if self.status in ("processing", "valid") else Denied
            raise kind(f"{WHO}: its order {self.url} for {self.name} is for other names; run again for another one")
        ended = None if self.fresh or self.status not in ("pending", "ready") else _moment(self.body.get("expires"))
        if ended is not None and ended <= dt.datetime.now(dt.UTC):
            told = f"its order {self.url} expired on {ended:%Y-%m-%d %H:%M} UTC"
            raise Denied(f"{WHO}: {told}; run again for another one")


def _moment(said: t.Any) -> dt.datetime | None:
    """Read a moment (RFC 3339); None where it is none, so that nothing follows from it."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        found = dt.datetime.fromisoformat(said)
        return found.astimezone(dt.UTC) if found.tzinfo is not None else None
    return None


def _pair(identifier: t.Any) -> tuple[str, str]:
    if not isinstance(identifier, dict):
        raise not_understood("order or authorization")
    return str(identifier.get("type")), str(identifier.get("value")).lower()


def identifiers(order: Order) -> list[dict[str, str]]:
    """Return what an order is to be for (RFC 8555, 7.1.4; RFC 8738)."""
    subject = order.request.subject
    names = [{"type": "dns", "value": name} for name in subject.dns_names]
    return names + [{"type": "ip", "value": address} for address in subject.ip_addresses]


def wanted(order: Order, authorization: Body, kind: str) -> Wanted | None:
    """Return the challenge of a kind that an authorization waits for; None where it waits for none.

    Raises Denied where it can no longer be met, or not in this way, or is for a name that the order is not for.
    """
    status, challenges = text(authorization, "status", "authorization"), authorization.get("challenges")
    if not isinstance(challenges, list):
        raise not_understood("authorization")
    identifier = _own(order, authorization)
    if status == "valid":
        return None
    if status != "pending":
        raise Denied(why_invalid(authorization))
    offered = [one for one in challenges if isinstance(one, dict)]
    for one in offered:
        if one.get("type") == kind:
            return _checked(identifier, one)
    kinds = ", ".join(sorted(str(one.get("type"))[:40] for one in offered)) or "nothing"
    raise Denied(f"{WHO}: it offers {kinds} for {identifier}, not {kind}; write another way in issuer.acme.challenge")


def shown_for(order: Order, authorizations: t.Iterable[Body]) -> tuple[Wanted, ...]:
    """Return what may have been shown by DNS for authorizations, whatever became of them."""
    found = []
    for one in authorizations:
        with contextlib.suppress(Denied):
            found.append(wanted(order, {**one, "status": "pending"}, "dns-01"))
    return tuple(one for one in found if one is not None)


def _own(order: Order, authorization: Body) -> str:
    """Return the name as the request has it: what a server says is put into no record, file or command (C3)."""
    named = authorization.get("identifier")
    own = {(one["type"], one["value"].removeprefix("*.").lower()): one["value"] for one in identifiers(order)}
    found = own.get(_pair(named))
    if found is None:
        raise Denied(f"{WHO}: its authorization is for another name than {order.request.name} has; look at the server")
    return found.removeprefix("*.")


def _checked(identifier: str, challenge: Body) -> Wanted:
    token, url = text(challenge, "token", "challenge"), text(challenge, "url", "challenge")
    if not _TOKEN.fullmatch(token):
        raise not_understood("challenge")
    return Wanted(identifier, token, url, str(challenge.get("status", "pending")))


def why_invalid(authorization: Body) -> str:
    """Say why control of a name was not shown."""
    named, challenges = authorization.get("identifier"), authorization.get("challenges")
    identifier = str(named.get("value", "a name"))[:253] if isinstance(named, dict) else "a name"
    for one in challenges if isinstance(challenges, list) else ():
        error = one.get("error") if isinstance(one, dict) else None
        if isinstance(error, dict):
            said = detail(error) or str(error.get("detail", ""))[:LONGEST]
            way = str(one.get("type"))[:40]
            return f"{WHO}: control of {identifier} was not shown by {way} ({said}); put that right"
    status = str(authorization.get("status"))[:40]
    return f"{WHO}: its authorization for {identifier} is {status}; run again for another one"
