# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Requests to one issuer, and orders of those that answer later: begun, written down, shown on the host, finished."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ..module_utils._core.challenge import Challenges, Shows
from ..module_utils._core.errors import Ended, KeysteadError, Unavailable
from ..module_utils._core.ports import Order
from ._enrolling import asking
from ._issuers.facts import facts_of
from ._ledger.nouns import Ordered
from ._ledger.port import Event, Outcome
from ._waiting import clear, event_of, where

if t.TYPE_CHECKING:
    from ..module_utils._core.challenge import Challenge
    from ..module_utils._core.model import Generation
    from ..module_utils._core.ports import Issuer, Request
    from ._enrolling import Asking
    from ._host_half import HostHalf
    from ._ledger.port import Batch, Ledger
    from ._work import Work

LONGEST_PAUSE = 10.0

Answer = t.Union["Generation", Order, KeysteadError]
Asked = tuple["Work", "Request"]
Over = t.Callable[[t.Sequence[tuple["Work", Order, Ended]]], None]


@dataclass
class Ordering:
    """What is needed to ask: where to write orders down, the way to the host, and for how long, in seconds, to wait."""

    ledger: Ledger
    batch: Batch
    host: HostHalf | None
    wait: float
    over: Over
    """Is told of orders of an earlier run that are over, before others are begun in their place."""
    _written: dict[str, str] = field(default_factory=dict)

    def answers(self, issuer: Issuer, asked: t.Sequence[Asked]) -> list[Answer]:
        """Return an answer for each. Orders of an earlier run go on; one that is gone is begun anew."""
        before = [_earlier(work, request) if _resumes(issuer) else None for work, request in asked]
        self._written = {
            work.name: order.reference for (work, _request), order in zip(asked, before, strict=True) if order
        }
        answers = self._round(issuer, asked, before)
        ended = {
            index: (asked[index][0], order, answer)
            for index, (order, answer) in enumerate(zip(before, answers, strict=True))
            if order is not None and isinstance(answer, Ended)
        }
        self.over(list(ended.values()))
        again = [index for index, (work, _order, _answer) in ended.items() if work.error is None]
        if again:
            anew = self._round(issuer, [asked[index] for index in again], [None] * len(again))
            for index, answer in zip(again, anew, strict=True):
                answers[index] = answer
        if isinstance(issuer, Shows):
            clear(issuer, [work.name for work, _request in asked], answers, self.ledger, self.batch)
        return answers

    def _round(self, issuer: Issuer, asked: t.Sequence[Asked], before: t.Sequence[Order | None]) -> list[Answer]:
        fresh = [pair for pair, order in zip(asked, before, strict=True) if order is None]
        way = asking(issuer, self.host, [work for work, _request in asked])
        begun = way.begin([request for _work, request in fresh]) if fresh else []
        if len(begun) != len(fresh):
            who = issuer.id.partition(":")[0]
            raise Unavailable(f"{who}: it gave {len(begun)} answers to {len(fresh)} requests")
        self._write_down(issuer, [(work, one) for (work, _request), one in zip(fresh, begun, strict=True)])
        answers = iter(begun)
        found = [order if order is not None else next(answers) for order in before]
        found = self._placed(issuer, asked, self._shown(issuer, asked, found))
        later = self._finished(way, found, at_once=_resumes(issuer))
        self._write_down(issuer, [(work, one) for (work, _request), one in zip(asked, later, strict=True)])
        return later

    def _write_down(self, issuer: Issuer, begun: t.Sequence[tuple[Work, Answer]]) -> None:
        """Keep where each order is before anything is signed (A1): so no answer to it can get lost."""
        if not _resumes(issuer):
            return
        outcomes = [
            Outcome(
                work.name,
                work.number,
                self._events(work, order),
                (Ordered(order.reference),),
            )
            for work, order in begun
            if isinstance(order, Order) and self._written.get(work.name) != order.reference
        ]
        self._written.update({work.name: order.reference for work, order in begun if isinstance(order, Order)})
        if outcomes:
            self.ledger.record(self.batch, outcomes)

    def _events(self, work: Work, order: Order) -> tuple[Event, ...]:
        """Tell of an order once, when it is begun; how far it is stands beside the intent alone."""
        known = where(self._written.get(work.name, "")) == where(order.reference)
        return () if known else (Event("issue", work.reason("issue"), "pending", event_of(order.reference)),)

    def _shown(self, issuer: Issuer, asked: t.Sequence[Asked], answers: list[Answer]) -> list[Answer]:
        """Show on the host what an issuer wants to see there, in one execution."""
        indices = [index for index, answer in enumerate(answers) if isinstance(answer, Order)]
        if not indices or not isinstance(issuer, Challenges):
            return answers
        wanted = issuer.challenges([t.cast("Order", answers[index]) for index in indices])
        placed: dict[str, tuple[Challenge, ...]] = {}
        for index, one in zip(indices, wanted, strict=True):
            if isinstance(one, KeysteadError):
                answers[index] = one
            elif one:
                placed[asked[index][0].name] = one
        if placed:
            works = [work for work, _request in asked if work.name in placed]
            failed = self._respond(placed, works)
            for index in indices:
                if (error := failed.get(asked[index][0].name)) is not None:
                    answers[index] = error
        return answers

    def _placed(self, issuer: Issuer, asked: t.Sequence[Asked], answers: list[Answer]) -> list[Answer]:
        """Write down what an issuer is going to place elsewhere, so that whoever comes after it can take it away."""
        orders = [one for one in answers if isinstance(one, Order)]
        if not orders or not isinstance(issuer, Shows):
            return answers
        answers = _replaced(answers, orders, issuer.shown(orders))
        self._write_down(issuer, [(work, one) for (work, _request), one in zip(asked, answers, strict=True)])
        return answers

    def _respond(
        self, wanted: t.Mapping[str, tuple[Challenge, ...]], works: t.Sequence[Work]
    ) -> t.Mapping[str, KeysteadError]:
        if self.host is None:
            return {work.name: Unavailable("host: nothing can be shown there in this run; run again") for work in works}
        from ._responding import respond

        return respond(self.host, wanted, works)

    def _finished(self, issuer: Asking, answers: list[Answer], *, at_once: bool) -> list[Answer]:
        """Finish at once what can be, and ask for open orders again, for as long as the task may wait."""
        until = time.monotonic() + self.wait
        ready = [one for one in answers if at_once and isinstance(one, Order) and not one.retry_after]
        if ready:
            answers = _replaced(answers, ready, issuer.finish(ready))
        while (orders := [one for one in answers if isinstance(one, Order)]) and time.monotonic() < until:
            pause = min([LONGEST_PAUSE, until - time.monotonic(), *(order.retry_after for order in orders)])
            time.sleep(max(0.05, pause))
            answers = _replaced(answers, orders, issuer.finish(orders))
        return answers


def _resumes(issuer: Issuer) -> bool:
    """Tell whether an order of this issuer goes on in another run; others are asked from the beginning."""
    return facts_of(issuer.id).answers_later


def _replaced(answers: list[Answer], orders: t.Sequence[Order], later: t.Sequence[Answer]) -> list[Answer]:
    by_order = {id(order): answer for order, answer in zip(orders, later, strict=True)}
    return [by_order.get(id(answer), answer) for answer in answers]


def _earlier(work: Work, request: Request) -> Order | None:
    """Return the order that an earlier run began for the same key (R1)."""
    opened = work.remembered.open_intent if work.remembered else None
    if opened is None or not opened.reference or opened.certificate or opened.public_id != work.public_id:
        return None
    same = (opened.issuer_id, opened.number) == (work.issuer.id if work.issuer else None, work.number)
    return Order(request, opened.reference) if same else None


def reference(work: Work) -> str | None:
    """Return the order that this run goes on with."""
    order = _earlier(work, t.cast("Request", None))
    return order.reference if order else None
