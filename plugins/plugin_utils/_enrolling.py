# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Requests that go to an issuer by way of the host that they are for: the issuer as its port has it, for one host."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, datetime

from ..module_utils._core.errors import Denied, KeysteadError, Unasked, Unavailable, Unreached
from ..module_utils._core.ports import EnrolsOnHost, Order
from ._host_half import error_of

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Credential, Generation
    from ..module_utils._core.ports import Enrolment, Issuer, Request
    from ._host_half import HostHalf
    from ._work import Work

Answer = t.Union["Generation", Order, KeysteadError]
SECRET = "a secret for the issuer"  # noqa: S105 - it is what one is called


class Asking(t.Protocol):
    """The part of an issuer that signs."""

    def begin(self, requests: t.Sequence[Request]) -> list[Answer]: ...

    def finish(self, orders: t.Sequence[Order]) -> list[Answer]: ...


def asking(issuer: Issuer, host: HostHalf | None, works: t.Sequence[Work]) -> Asking:
    """Return who is asked for these identities: the issuer itself, or the issuer by way of their host."""
    return OnHost(issuer, host, works) if host is not None and isinstance(issuer, EnrolsOnHost) else issuer


class OnHost:
    """Sends through the host what its issuer wants to hear from there, and asks for the rest itself."""

    def __init__(self, issuer: t.Any, host: HostHalf, works: t.Sequence[Work]) -> None:
        """Keep who is who."""
        self._issuer, self._host, self._works = issuer, host, {work.name: work for work in works}
        self._not_before: dict[str, float] = {}  # when a host may ask again, by time.monotonic
        self._sent: set[str] = set()
        self._anew: set[str] = set()  # who began anew, since what the host has was refused

    def begin(self, requests: t.Sequence[Request]) -> list[Answer]:
        """Ask for the first time; where what the host shows is refused, once more as if it had nothing to show."""
        answers, errands = self._begun(requests)
        refused = [one for one in requests if self._is_refused(one, errands.get(one.name), answers[one.name])]
        if refused:
            for one in refused:
                why = str(answers[one.name]).rpartition("; ")[0]  # the remedy is for who has no other way
                self._host.warnings.append(f"{one.name}: what the host has is refused ({why}); it began anew")
            self._anew.update(one.name for one in refused)
            answers.update(zip((one.name for one in refused), self.begin(refused), strict=True))
        return [answers[request.name] for request in requests]

    def _begun(self, requests: t.Sequence[Request]) -> tuple[dict[str, Answer], dict[str, Enrolment]]:
        """Return the answers, and what hosts had to send for them."""
        errands: dict[str, Enrolment] = {}
        answers: dict[str, Answer] = {}
        for request in requests:
            try:
                errand = self._issuer.enrolment(request, self._shown(request))
            except KeysteadError as error:
                answers[request.name] = Unreached(str(error)) if isinstance(error, Unavailable) else error
                continue
            if errand is not None:
                errands[request.name] = errand
        rest = [one for one in requests if one.name not in errands and one.name not in answers]
        answers.update(zip((one.name for one in rest), self._issuer.begin(rest) if rest else (), strict=True))
        self._sent.update(errands)
        answers.update(self._by_host([one for one in requests if one.name in errands], errands))
        return answers, errands

    def _shown(self, request: Request) -> Credential | None:
        return None if request.name in self._anew else own(self._works[request.name])

    def _is_refused(self, request: Request, errand: Enrolment | None, answer: Answer) -> bool:
        """Tell whether the issuer, and not the host, refused what the host showed, and another way is left."""
        if errand is None or self._shown(request) is None or isinstance(answer, Unasked):
            return False
        if not isinstance(answer, Denied) or not str(answer).startswith(f"{self._issuer.id.partition(':')[0]}: "):
            return False
        try:
            return bool(self._issuer.enrolment(request, None) != errand)
        except KeysteadError:
            return True  # it will be told why that way is none

    def finish(self, orders: t.Sequence[Order]) -> list[Answer]:
        """Ask again, each the way it was asked first and not before its time."""
        answers: dict[str, Answer] = {}
        mine = [order for order in orders if order.request.name in self._sent]
        others = [order for order in orders if order.request.name not in self._sent]
        answers.update(zip((one.request.name for one in others), self._issuer.finish(others), strict=True))
        due = []
        for order in mine:
            left = self._not_before.get(order.request.name, 0.0) - time.monotonic()
            answers[order.request.name] = order._replace(retry_after=max(0.0, left))
            if left <= 0:
                due.append(order.request)
        if due:
            answers.update(zip((one.name for one in due), self.begin(due), strict=True))
        return [answers[order.request.name] for order in orders]

    def _by_host(self, requests: t.Sequence[Request], errands: t.Mapping[str, Enrolment]) -> dict[str, Answer]:
        if not requests:
            return {}
        told = self._host.enrol([(self._works[one.name], errands[one.name]) for one in requests], datetime.now(UTC))
        answers = {one.name: self._read(one, told.get(one.name, {})) for one in requests}
        for name, answer in answers.items():
            if isinstance(answer, Order):
                self._not_before[name] = time.monotonic() + answer.retry_after
        return answers

    def _read(self, request: Request, told: t.Mapping[str, t.Any]) -> Answer:
        error = error_of(told) if "enrolled" not in told else None
        if isinstance(error, Unavailable) and told.get("unreached") is True:
            return Unreached(str(error))
        if error is not None:
            return error
        try:
            answer = t.cast("Answer", self._issuer.enrolled(request, told["enrolled"]))
            spared = told.get("unreached") is True  # it is the answer to another one, who asked before
            return Unreached(str(answer)) if spared and isinstance(answer, Unavailable) else answer
        except (ValueError, TypeError, AttributeError, LookupError):
            wrong = f"what it was answered for {request.name} has another form"
            return Unavailable(f"host: {wrong}; look at this host, and run again")


def instead(protocol: str) -> str:
    """Return what may be done in place of sending a secret to a host; empty where nothing may."""
    return "let the controller enrol (enrol: controller)" if protocol == "est" else ""


def own(work: Work) -> Credential | None:
    """Return the credential of its issuer that a host can show: whole, in time, not revoked, with its key in a file."""
    found, now = work.found, datetime.now(UTC)
    if found is None or found.credential is None or found.damage or found.custody not in {None, "file"}:
        return None
    current = found.credential
    if work.issuer is None or found.issuer_id != work.issuer.id or not current.not_before <= now < current.not_after:
        return None
    return None if any(revoked == current.credential_id for revoked, _why in work.known.revoked) else current
