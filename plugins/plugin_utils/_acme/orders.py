# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Orders of one account, all of a batch side by side: begun, shown control for, finalised, downloaded (RFC 8555, 7.4).

They are polled in one loop, each when the server said, so that waiting for one is waiting for all.
"""

from __future__ import annotations

import base64
import time
import typing as t

from ...module_utils._core.challenge import Challenge
from ...module_utils._core.errors import Denied, Ended, KeysteadError, Lost, Misconfigured, Pending, Unavailable
from ...module_utils._core.model import Generation
from ...module_utils._core.ports import Order
from .._edge import unexpected
from .._retry_after import retry_after
from .address import WHO
from .errors import LoggedOut, Nothing, Refused, Silent, not_asked, not_understood, plain, text
from .order import Track, shown_for, wanted, why_invalid
from .records import Records
from .reference import Reference

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ...module_utils._core.ports import Request
    from .account import Account
    from .address import OnHost
    from .chains import Chains
    from .dns import Shown
    from .errors import Answer
    from .new_order import NewOrders
    from .order import Wanted

Answers = list[Generation | Order | KeysteadError]
_OVER = (Silent, Misconfigured, LoggedOut)  # what the next one would meet as well
_TWICE = (Unavailable, Pending)  # what may concern one alone, and not two in a row


class Tools(t.NamedTuple):
    """What orders are worked on with: who asks and begins, what is done with chains, and how control is shown."""

    account: Account
    begin: NewOrders
    chains: Chains
    issuer_id: str
    on_host: OnHost | None
    dns: Shown | None
    advise: Callable[[str], None]
    patience: float


class Orders:
    """The orders of one issuer. Those that it began are remembered, so that nothing is read twice."""

    def __init__(self, tools: Tools) -> None:
        """Keep the tools."""
        self._tools, self._account = tools, tools.account
        self._records = Records(tools.dns, tools.account, tools.advise)
        self._fresh: dict[str, dict[str, t.Any]] = {}
        self._wanted: dict[str, tuple[Wanted, ...]] = {}

    def begin(self, requests: Sequence[Request]) -> Answers:
        """Begin an order for each; what ends all of them is asked for once, a broken or busy server twice in a row."""
        answers: Answers = []
        over = self._unfit()
        for request in requests:
            last = answers[-1] if answers else None
            answer = not_asked(over) or self._begun(request)
            answers.append(answer)
            if isinstance(answer, _OVER) or (isinstance(answer, _TWICE) and isinstance(last, _TWICE)):
                over = answer
        return [plain(one) if isinstance(one, KeysteadError) else one for one in answers]

    def _unfit(self) -> KeysteadError | None:
        """Return why control could not be shown, before an account or an order is made for it."""
        try:
            if self._tools.dns is not None:
                self._tools.dns.writer  # noqa: B018 - it is made at the first time
        except KeysteadError as error:
            return error
        return None

    def _begun(self, request: Request) -> Order | KeysteadError:
        try:
            url, body = self._tools.begin.order(request)
        except KeysteadError as error:
            return error
        except Exception as error:  # noqa: BLE001 - what was begun before must not get lost with it
            return Unavailable(unexpected(WHO, error))
        self._fresh[url] = body
        return Order(request, url)

    def challenges(self, orders: Sequence[Order]) -> list[tuple[Challenge, ...] | KeysteadError]:
        """Return what is to be shown on the host for each order; nothing where control is shown by DNS."""
        where = self._tools.on_host
        if where is None:
            return [()] * len(orders)
        tracks = [self._track(order) for order in orders]
        self._each(tracks, self._look)
        return [
            one.result
            if isinstance(one.result, KeysteadError)
            else tuple(
                Challenge(each.token, self._authorization(each), where.webroot, where.port) for each in one.wanted
            )
            for one in tracks
        ]

    def shown(self, orders: Sequence[Order]) -> list[Order | KeysteadError]:
        """Return orders with what is going to be placed for them by DNS in their references."""
        if self._tools.dns is None:
            return list(orders)
        tracks = [self._track(order) for order in orders]
        new = [one for one in tracks if not one.told and not Reference.of(one.order.reference).records]
        self._each(new, self._look)
        self._tidy(new)
        return [
            one.order._replace(reference=self._records.noted(one)) if one.result is None else one.refused
            for one in tracks
        ]

    def clear(self, references: Sequence[str]) -> list[str]:
        """Take away what was placed for orders that are over; return the references of which nothing is left."""
        return self._records.clear(references)

    def finish(self, orders: Sequence[Order]) -> Answers:
        """Bring orders to their end, and wait for them as long as one call may take. What is left is an Order."""
        tracks = [self._track(order) for order in orders]
        self._each(tracks, self._look)
        open_ones = [one for one in tracks if one.result is None]
        self._records.show(open_ones)
        self._each(open_ones, self._respond)
        self._poll(open_ones)
        self._tidy(tracks)
        return [one.left() if one.result is None else one.result for one in tracks]

    def astray(self, serial_number: int) -> str | None:
        """Return whom the chain of a leaf leads to that leads to no root of ours; None for others."""
        return self._tools.chains.astray.get(serial_number)

    def _track(self, order: Order) -> Track:
        url = Reference.of(order.reference).url
        body = self._fresh.get(url)
        return Track(order, fresh=body is not None, body=body or {}, wanted=self._wanted.get(url, ()))

    def _each(self, tracks: Iterable[Track], work: Callable[[Track], None]) -> None:
        """Do something for each; an error ends that one's way, and where the server is gone, that of all."""
        over: KeysteadError | None = None
        broken = False
        for track in tracks:
            if track.result is not None:
                continue
            if over is not None:
                track.fail(over)
                continue
            try:
                work(track)
                broken = False
            except KeysteadError as error:
                told = Misconfigured(str(error)) if isinstance(error, LoggedOut) else error
                track.fail(plain(told))
                over = told if isinstance(error, _OVER) or (broken and isinstance(error, _TWICE)) else None
                broken = isinstance(error, _TWICE)
            except Exception as error:  # noqa: BLE001 - its siblings go on
                track.fail(Unavailable(unexpected(WHO, error)))

    def _look(self, track: Track) -> None:
        """Read the order, and what its authorizations wait for. Raises Ended for one of an earlier run that is over."""
        try:
            self._look_at(track)
        except (Ended, LoggedOut):
            raise
        except Denied as error:
            raise error if track.fresh else Ended(str(error)) from None

    def _look_at(self, track: Track) -> None:
        if not track.url.startswith("https://"):
            raise Denied(f"{WHO}: {track.url[:60]!r} is no order; run again")
        if not track.body:
            self._read(track)
        track.check_goes_on()
        waits, shown = track.status == "pending" and track.url not in self._wanted, self._tools.dns and not track.fresh
        if waits or shown:
            found = [self._got(url, "authorization") for url in track.urls("authorizations")]
            if shown:  # by an earlier run, perhaps; it is taken away whatever became of the order
                track.shown = shown_for(track.order, found)
            if waits:
                kind = "http-01" if self._tools.on_host else "dns-01"
                track.wanted = tuple(one for each in found if (one := wanted(track.order, each, kind)) is not None)
        self._wanted[track.url] = track.wanted

    def _respond(self, track: Track) -> None:
        """Tell the server that everything is there to be looked at (RFC 8555, 7.5.1)."""
        for one in () if track.told else track.wanted:
            if one.status == "pending":
                try:
                    self._post(one.url, {}, f"the challenge for {one.identifier}")
                except Refused:
                    if track.fresh:
                        raise  # else a run that was killed told it already, and it is looking
        if track.status == "pending":
            track.wait(None)

    def _poll(self, tracks: Sequence[Track]) -> None:
        until = time.monotonic() + self._tools.patience
        while left := [one for one in tracks if one.result is None]:
            moment = time.monotonic()
            self._each([one for one in left if one.due <= moment], self._advance)
            due = [one.due for one in left if one.result is None]
            if not due:
                return
            if min(due) > until:
                return
            time.sleep(max(0.0, min(due) - time.monotonic()))

    def _advance(self, track: Track) -> None:
        """Go one step on."""
        if track.status in ("pending", "processing"):
            self._read(track)
        if track.status == "ready":
            self._finalise(track)
        if track.status == "valid":
            track.finalised = True
            answer = self._post(text(track.body, "certificate", "order"), None, "the certificate")
            track.result = self._tools.chains.generation(answer, self._another_chain, self._tools.issuer_id)
        elif track.status == "invalid":
            raise Ended(self._why(track))
        elif track.status not in ("pending", "processing"):
            raise not_understood("order")

    def _another_chain(self, url: str) -> Answer:
        return self._post(url, None, "another chain")

    def _read(self, track: Track) -> None:
        answer = self._order(track)
        track.body = answer.object("order")
        track.finalised = track.finalised or track.status in ("processing", "valid")
        track.wait(retry_after(answer.headers) if "Retry-After" in answer.headers else None)

    def _order(self, track: Track) -> Answer:
        """Ask for an order. One of an earlier run that is not shown may have been signed. Raises KeysteadError."""
        try:
            return self._post(track.url, None, f"its order {track.url} for {track.name}")
        except LoggedOut:
            raise
        except Denied as error:
            raise error if track.fresh or track.body else Lost(str(error)) from None

    def _finalise(self, track: Track) -> None:
        """Send the request of the host (RFC 8555, 7.4). From now on a certificate may exist."""
        csr = base64.urlsafe_b64encode(track.order.request.csr).rstrip(b"=").decode()
        answer = self._post(text(track.body, "finalize", "order"), {"csr": csr}, f"the request for {track.name}")
        track.finalised = True
        track.body = answer.object("order")
        track.pause = min(track.pause, 0.1)
        track.wait(retry_after(answer.headers) if "Retry-After" in answer.headers else None)

    def _why(self, track: Track) -> str:
        """Say why an order ended: the reason is with the authorization that failed, or with the order itself."""
        track.finalised = False
        for url in track.urls("authorizations"):
            authorization = self._got(url, "authorization")
            if authorization.get("status") not in ("valid", "pending"):
                return why_invalid(authorization)
        error = track.body.get("error")
        said = str(error.get("detail", ""))[:200] if isinstance(error, dict) else ""
        why = said or "it does not say why"
        return f"{WHO}: its order {track.url} for {track.name} is invalid ({why}); run again for another one"

    def _tidy(self, tracks: Sequence[Track]) -> None:
        """Forget orders that are over, and take away what was shown for them."""
        over = [one for one in tracks if one.result is not None]
        for one in over:
            self._fresh.pop(one.url, None)
            one.wanted = self._wanted.pop(one.url, ())
        self._records.tidy(over)

    def _authorization(self, one: Wanted) -> str:
        return f"{one.token}.{self._account.thumbprint()}"

    def _got(self, url: str, what: str) -> dict[str, t.Any]:
        return self._post(url, None, f"its {what}").object(what)

    def _post(self, url: str, payload: dict[str, t.Any] | None, what: str) -> Answer:
        """Ask for what belongs to one order: that it is gone says nothing of others. Raises KeysteadError."""
        self._account.url()  # what is wrong with it is wrong for all
        try:
            return self._account.post(url, payload, what)
        except Nothing as error:
            told = str(error).partition(";")[0]
            raise Denied(f"{told}; run again for another one, or correct directory_url") from None
