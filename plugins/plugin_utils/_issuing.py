# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From requests to accepted credentials: intent first, then the issuer, then rule V1, then the record (A1, R1)."""

from __future__ import annotations

import contextlib
import functools
import time
import typing as t
from datetime import UTC, datetime, timedelta

from ..module_utils._core.errors import Denied, Ended, KeysteadError, Misconfigured, Pending, Unavailable, Unreached
from ..module_utils._core.ports import Order
from ._accepting import accepted_by, backend, gives_again, listed, lost_since, still_fits
from ._edge import unexpected
from ._in_doubt import was_asked
from ._intent import intent, issuer_of
from ._ledger.port import Event, Held, Intent, Outcome, Refused, Used
from ._ordering import Ordering
from ._policy.weak_lists import known_weak
from ._refusals import Refusals, asked_for
from ._request import checked
from ._scheduling import first_asked
from ._signed import issued, lost, lost_by, orphan
from ._verifying import check_before
from ._waiting import over, pending
from ._work import failing

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Generation
    from ..module_utils._core.ports import Issuer, Request
    from ._host_half import HostHalf
    from ._ledger.chain import Readable
    from ._ledger.port import Batch, Change, Ledger
    from ._signers import Signers
    from ._work import Work

AT_ONCE = 50  # requests in one call
QUIET = 2.0  # seconds between two lines of progress

Say = t.Callable[[str], None]
Paths = t.Sequence[str]


class Issuing:
    """Gets credentials for one host's identities. `wait` is how long, in seconds, an issuer has that answers later."""

    def __init__(  # noqa: PLR0913 - what it needs to know
        self,
        signers: Signers,
        ledger: Ledger,
        batch: Batch,
        *,
        holder: str,
        wait: float,
        say: Say,
        weak: Paths = (),
        warnings: list[str] | None = None,
        host: HostHalf | None = None,
        retry_refused: bool = False,
    ) -> None:
        """Keep whom to ask, where to write down, how to tell, the files of weak keys, where to warn, and the host.

        With `retry_refused`, what was refused a short time ago is asked for again.
        """
        self._warnings = [] if warnings is None else warnings
        self._signers, self._ledger, self._batch, self._holder = signers, ledger, batch, holder
        self._ordering = Ordering(ledger, batch, host, wait, self._over)
        self._say, self._weak, self._retry_refused = say, weak, retry_refused
        self._said = time.monotonic()
        self._known: dict[int, tuple[bytes, ...]] = {}  # anchors, by issuer

    def run(self, works: t.Sequence[Work]) -> None:
        """Fill in `generation` and `number`, or `error`, for every work that needs a credential."""
        weak = known_weak(self._weak) if works else frozenset()
        asked = [(work, request) for work in works if (request := self._request(work, weak)) is not None]
        found = [(work, request) for work, request in asked if self._found_again(work, request)]
        asked = [(work, request) for work, request in asked if not work.generation and not work.error]
        asked = self._intend([(work, request) for work, request in asked if self._may_be_asked_for(work)])
        by_issuer: dict[int, list[tuple[Work, Request]]] = {}
        for work, request in asked:
            by_issuer.setdefault(id(issuer_of(work)), []).append((work, request))
        for group in by_issuer.values():
            issuer = issuer_of(group[0][0])
            with _failing(group):
                self._ask(issuer, group, self._anchors(issuer))
        self._record([work for work, _request in (*found, *asked)])

    def _request(self, work: Work, weak: t.Collection[str]) -> Request | None:
        """Check what the host asks for (C2), and number the generation."""
        if work.found is None:
            return None
        try:
            request = checked(work.csr, work.identity, work.public_id, weak)
            if work.remembered and work.remembered.public_id == work.public_id:
                raise _used(work, f"identity {work.name}")  # every renewal has a new one
        except KeysteadError as error:
            work.error = error
            return None
        work.number = max(work.found.newest, work.known.newest) + 1
        work.known = work.known.with_young(work.public_id)
        same = work.issuer is not None and work.found.issuer_id == work.issuer.id
        return request._replace(replaces=work.found.certificate if same else None)

    def _intend(self, asked: list[tuple[Work, Request]]) -> list[tuple[Work, Request]]:
        """Write down what is going to be done, but for what another run is at work on, and keys that others have."""
        for work, _request in asked:
            work.lost_since = lost_since(issuer_of(work), work, datetime.now(UTC))
            if work.lost_since is not None and lost_by(work) == issuer_of(work).id and self._waits(work):
                work.lost_since = None
        intents = {work.name: self._intent(work) for work, _request in asked}
        while intents:
            try:
                self._ledger.intend(self._batch, list(intents.values()))
                break
            except Held as held:
                for work, _request in asked:
                    if work.name in held.names:
                        work.error = Pending(str(held), held.retry_after)
                        intents.pop(work.name, None)
            except Used as used:
                for work, _request in asked:
                    if work.name in used.users:
                        work.error = _used(work, used.users[work.name])
                        intents.pop(work.name, None)
        return [(work, request) for work, request in asked if work.name in intents]

    def _intent(self, work: Work) -> Intent:
        return intent(work, work.reason("issue"), self._holder)._replace(asked=asked_for(work, self._signers))

    def _may_be_asked_for(self, work: Work) -> bool:
        """Tell whether an answer may fit: where the last one did not, a while has to pass."""
        with failing([work]):
            if not self._retry_refused:
                self._refusals.check(work)
            if work.found is not None and work.found.openssl is not None:
                check_before(work, self._known_anchors(issuer_of(work)))
        return work.error is None

    def _known_anchors(self, issuer: Issuer) -> tuple[bytes, ...]:
        """Return whom an answer is to lead to, without pinning anybody: perhaps nobody is asked."""
        if id(issuer) not in self._known:
            self._known[id(issuer)] = self._signers.anchors(issuer, self._ledger, pin=False)
        return self._known[id(issuer)]

    @functools.cached_property
    def _refusals(self) -> Refusals:
        return Refusals(t.cast("Readable", self._ledger), self._batch, self._signers)

    def _waits(self, work: Work) -> bool:
        """Tell whether the issuer said that it had not decided yet: then nothing that it signed got lost."""
        from ._ledger.queries import waits

        ledger = t.cast("Readable", self._ledger)
        return waits(ledger, self._batch.host, self._batch.store, work.name, work.number)

    def _anchors(self, issuer: Issuer) -> tuple[bytes, ...]:
        try:
            return self._signers.anchors(issuer, self._ledger)
        except Unavailable as error:  # nobody was asked to sign
            raise Unreached(str(error)) from None

    def _ask(self, issuer: Issuer, group: list[tuple[Work, Request]], anchors: t.Sequence[bytes]) -> None:
        for start in range(0, len(group), AT_ONCE):
            part = group[start : start + AT_ONCE]
            with _failing(part):
                for (work, request), answer in zip(part, self._ordering.answers(issuer, part), strict=True):
                    self._take(work, request, answer, anchors)
            if time.monotonic() - self._said > QUIET:
                self._said = time.monotonic()
                self._say(f"{backend(issuer.id)}: {min(start + AT_ONCE, len(group))} of {len(group)} answered")

    def _take(
        self, work: Work, request: Request, answer: Generation | Order | KeysteadError, anchors: t.Sequence[bytes]
    ) -> None:
        if isinstance(answer, KeysteadError):
            work.error = answer
        elif isinstance(answer, Order):
            work.error = pending(work, answer, t.cast("Readable", self._ledger), self._batch)
        else:
            try:
                work.generation = accepted_by(work, request, answer, anchors)
            except KeysteadError as error:
                work.error, work.orphaned = orphan(work, request, answer, error)

    def _over(self, ended: t.Sequence[tuple[Work, Order, Ended]]) -> None:
        """Let intents end as what they were, and open others for what is begun in the place of their orders."""
        for work, order, error in ended:
            why, outcome = over(work, order, error)
            with failing([work]):
                self._ledger.record(self._batch, [outcome])
                self._ledger.intend(self._batch, [self._intent(work)._replace(reference=None)])
                self._warnings.append(f"{work.name}: {why}; another one was begun")

    def _found_again(self, work: Work, request: Request) -> bool:
        """Look for the answer that a cut-off run never brought to the host: the key is the same, so it still fits (R1).

        It keeps its number, for its intent still stands; what that run wrote under it is staged again by now.
        """
        intent, found = work.remembered.open_intent if work.remembered else None, work.found
        if intent is None or found is None or intent.public_id != work.public_id:
            return False
        if intent.number < found.newest or intent.number in (found.generation, *found.others):
            return False
        with _failing([(work, request)]):
            issuer = issuer_of(work)
            anchors = self._signers.anchors(issuer, self._ledger)
            for record in listed(issuer, intent.since - timedelta(minutes=5)):
                answer = record.generation
                if record.public_id == work.public_id and still_fits(issuer, work, request, answer, anchors):
                    work.generation, work.number = answer, intent.number
                    return True
        return False

    def _record(self, works: t.Sequence[Work]) -> None:
        """Write down what was granted and what was refused, before any host hears of it."""
        outcomes = [_outcome(work) for work in works]
        if outcomes:
            self._ledger.record(self._batch, outcomes)
        for work in works:
            if work.lost_since is not None:
                told = f"an earlier answer of {lost_by(work)} got lost"
                self._warnings.append(f"{work.name}: {told}; what it may have signed is recorded as an orphan")


def _used(work: Work, user: str) -> Denied:
    """Return the refusal of a key that an identity has already (C4)."""
    return Denied(
        f"host: its request for {work.name} is refused: its key is that of {user} already; "
        f"remove the directory next of {work.name} in the store, and run again"
    )


@contextlib.contextmanager
def _failing(group: t.Sequence[tuple[Work, Request]]) -> t.Iterator[None]:
    """Let an error that concerns a whole group end the way of each of them; an issuer may fail as nobody foresaw."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - it must be recorded, and the requests to other issuers go on
        who = backend(issuer_of(group[0][0]).id)
        told = error if isinstance(error, KeysteadError) else Unavailable(unexpected(who, error))
        for work, _request in group:
            if work.generation is None and work.error is None:
                work.error = told


def _outcome(work: Work) -> Outcome:
    if work.generation is None:
        said = str(work.error or "")
        pending = isinstance(work.error, Pending)
        event = Event("issue", work.reason("issue"), "pending" if pending else "failed", said)
        return Outcome(work.name, work.number, (*lost(work), event), _closing(work))
    parts = work.generation.parts
    chain = parts["chain"].content if "chain" in parts else b""
    change = issued(parts["certificate"].content, chain)
    changes: tuple[Change, ...] = (change, *first_asked(work.issuer))
    return Outcome(work.name, work.number, (*lost(work), Event("issue", work.reason("issue"))), changes)


def _closing(work: Work) -> tuple[Change, ...]:
    """Close the intent: what was signed and not accepted is an orphan, what was refused was never signed."""
    if work.orphaned:
        return (work.orphaned,)
    opened = work.remembered.open_intent if work.remembered else None
    if opened and opened.public_id == work.public_id and gives_again(opened, work, datetime.now(UTC)):
        return ()  # what an earlier run asked for may be signed, and is given again
    if not isinstance(work.error, (Denied, Misconfigured, Unreached)):
        return ()
    return (Refused(asked=was_asked(work.error)),)
