# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look, decide, act, look again: for all identities of one host, in one or two executions there."""

from __future__ import annotations

import functools
import time
import typing as t
from datetime import UTC, datetime

from ..module_utils._core.errors import KeysteadError, NotYet, Pending
from . import _copies, _in_doubt, _scheduling
from ._actor import actor, holder
from ._declare import Declaration, checked_issuer, declarations
from ._durations import seconds
from ._host_half import HostHalf
from ._key import label
from ._known import known_of, to_purge
from ._ledger.port import Batch
from ._ledger.queries import spent_keys
from ._ledger.registry import open_for
from ._policy.candidate import candidates, with_others
from ._policy.live import Live
from ._policy.load import load
from ._policy.review import Review
from ._recording import catch_up, record, remembering_loss
from ._report import result
from ._signers import Signers
from ._work import Work, check_settled, concerns_others, failing, is_elsewhere, is_unknown, plan

if t.TYPE_CHECKING:
    from ..module_utils._core.ports import Issuer
    from ._action import Task
    from ._custody import Custody
    from ._declare import Options
    from ._ledger.chain import Readable
    from ._ledger.port import Ledger, Remembered
    from ._plan.of_host import Watch

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # a lease is given back long before it ends
MANY = 50  # identities that take long enough to say what is going on


def converge(
    args: Options, task: Task, module: str = "machine_identity", watch: Watch | None = None
) -> dict[str, t.Any]:
    """Bring the identities of one host to what validated options declare; return what the task returns."""
    if args.get("plan") is not None and not watch:
        from ._plan.of_host import planned

        return planned(args, task, module, converge)
    declared = declarations(args, module)
    judged = candidates(args["identities"], declared, task)
    further = [issuer for one in args["issuers"] or () if (issuer := checked_issuer(one))]
    review = Review(load(args["policy"], datetime.now(UTC)), judged, with_others(judged, further))
    if any(one.identity.key.comes_down and one.identity.state == "present" for one in declared):
        task.refuse_secrets("a key that the controller makes", "let the host make it (key.origin: host)")
    signers = Signers(further, module)
    ledger = open_for(args, read_only=task.check)
    try:
        return _Run(args, task, signers, ledger, review, watch=watch).of(declared)
    finally:
        ledger.close()


class _Run:
    """One run over one store of one host."""

    def __init__(  # noqa: PLR0913 - what it needs to know
        self, args: Options, task: Task, signers: Signers, ledger: Ledger, review: Review, *, watch: Watch | None
    ) -> None:
        self.task, self.signers, self.ledger, self.review, self.watch = task, signers, ledger, review, watch
        self.live = (args.get("crl_issuers") or ()) if args["check_status"] == "live" else None
        self.store, self.wait, self.retry_refused = args["store"], seconds(args["wait"]), bool(args["retry_refused"])
        self.purged = args["scope"] if args["purge"] else None
        self.known_of = functools.partial(known_of, made_before=args.get("made_before"))  # by key_rotate alone (ADR 21)
        self.now = datetime.now(UTC)
        self.holder, self.address = holder(), task.address or task.host
        self.warnings: list[str] = []
        self.host = HostHalf(task.execute, self.store, task.host, ledger.id, self.holder, self.warnings, task.check)

    def of(self, declared: t.Sequence[Declaration]) -> dict[str, t.Any]:
        """Run, and report."""
        remembered = self.ledger.remembered(self.task.host, self.store)
        self.warnings += self.review.settle(Live(remembered, self.now))
        declared = [*declared, *to_purge(self.purged, declared, remembered)]
        works = [self._work(declaration, remembered.get(declaration.identity.name)) for declaration in declared]
        _scheduling.look(works, self.ledger, self._batch(), check=self.task.check)
        self._ask_for_revocations(works)
        self._look(works)
        self._look_at_keys([work for work in works if is_elsewhere(work) and not work.error])
        self.warnings += _copies.look(works, self.ledger, self._batch(), None if self.task.check else self.host)
        self._check_revokers([work for work in works if work.needs("revoke") and not work.error])
        self._look_at_originals([work for work in works if work.found and not work.error])
        if self.task.check:
            self._foresee([work for work in works if work.needs("issue") and not work.error])
        self._show(works)
        if not self.task.check:
            self._act([work for work in works if work.steps and not work.error])
            self._replace_adopted([work for work in works if work.did("adopt") and not work.error])
            self._adopt([work for work in works if not work.steps])
            catch_up(works, self.ledger, self._batch(), self.address)
        if self.watch:
            self.watch.acted(works, self.ledger, self._batch())
        return result(works, self.store, self.task, [*self.warnings, *self.signers.advice()])

    def _show(self, works: t.Sequence[Work]) -> None:
        """Let a plan be made of what was found, or be held against it; whoever may not act gives its leases back."""
        if not self.watch:
            return
        try:
            self.watch.looked(works, self.ledger, self._batch())
        except KeysteadError:
            self._install([], [work for work in works if work.lease], self._batch())
            raise

    def _work(self, declaration: Declaration, remembered: Remembered | None) -> Work:
        issuer = self._issuer(declaration)
        identity = declaration.identity
        if issuer is not None and identity.state == "present":
            identity = identity._replace(issuer_id=issuer.id)
        if identity.key.custody != "file":
            name, spent = label(self.task.host, self.store, identity.name), self._spent.get(identity.name, ())
            identity = identity._replace(key=identity.key._replace(label=name, spent=spent))
        return Work(declaration, identity, issuer, remembered, self.known_of(declaration, remembered, self.now))

    @functools.cached_property
    def _spent(self) -> t.Mapping[str, tuple[str, ...]]:
        return spent_keys(t.cast("Readable", self.ledger), self.task.host, self.store)

    def _issuer(self, declaration: Declaration) -> Issuer | None:
        """Return who signs; in check mode, an issuer that an earlier task would make is no error yet."""
        try:
            return self.signers.of(declaration.issuer) if declaration.issuer else None
        except NotYet as error:
            if not self.task.check:
                raise
            if str(error) not in self.warnings:
                self.warnings.append(str(error))
            return None

    def _ask_for_revocations(self, works: t.Sequence[Work]) -> None:
        if self.live is not None:
            from ._live_status import LiveStatus

            asked = LiveStatus(self.signers, self.ledger, self._batch(), self.live)
            self.warnings += asked.look(works, check=self.task.check)

    def _foresee(self, works: t.Sequence[Work]) -> None:
        if works:
            from ._foreseen import foresee
            from ._refusals import Refusals

            ledger = t.cast("Readable", self.ledger)
            refusals = None if self.retry_refused else Refusals(ledger, self._batch(), self.signers)
            foresee(works, self.signers, self.ledger, self.task, refusals)

    def _look(self, works: t.Sequence[Work]) -> None:
        """Ask the host; identities that another run is at work on are asked for again, for as long as `wait` says."""
        until, pause = time.monotonic() + self.wait, FIRST_PAUSE
        first = [work for work in works if work.identity.state == "present" and not work.known.newest]
        self._tell(first, "identities to make the first key of")
        self.host.prepare(works, self.now)
        while busy := [work for work in works if isinstance(work.error, Pending)]:
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(pause, left))
            pause = min(LONGEST_PAUSE, 2 * pause)
            self.now = datetime.now(UTC)
            remembered = self.ledger.remembered(self.task.host, self.store)
            for work in busy:
                work.remembered = remembered.get(work.name)
                work.known = self.known_of(work.declaration, work.remembered, self.now)
            self.host.prepare(busy, self.now)

    def _look_at_keys(self, works: t.Sequence[Work]) -> None:
        """Look at keys that only the controller reaches; a host that lacks one is asked once more, for its lease."""
        if not works:
            return
        missed = self._custody.look(works, self.now)
        if missed and not self.task.check:
            self.host.prepare(missed, self.now)

    @functools.cached_property
    def _custody(self) -> Custody:
        from ._custody import Custody

        return Custody(self.ledger, self.task.host, self.store)

    def _look_at_originals(self, works: t.Sequence[Work]) -> None:
        """Judge what somebody else had issued: to be adopted, observed, or adopted earlier."""
        foreign = [work for work in works if concerns_others(work)]
        if foreign:
            from ._originals import Setting, consider

            run = Setting(self.ledger, self._batch(), str(self.holder), self.review, self.warnings)
            with failing(foreign):
                consider(foreign, run, check=self.task.check)

    def _replace_adopted(self, works: t.Sequence[Work]) -> None:
        """Replace in the same run what was adopted and cannot stay: it is there to roll back to."""
        first = [work for work in works if work.after and plan(work, work.after, self.now)]
        if not first:
            return
        remembered = self.ledger.remembered(self.task.host, self.store)
        then = [self._work(work.declaration, remembered.get(work.name)) for work in first]
        self._look(then)
        self.warnings += _copies.look(then, self.ledger, self._batch(), self.host)
        if self.watch:
            self.watch.followed(then)
        self._act([work for work in then if work.steps and not work.error])
        for work, follows in zip(first, then, strict=True):
            work.followed_by(follows)

    def _check_revokers(self, works: t.Sequence[Work]) -> None:
        if works:
            from ._withdrawal import check_revokers

            self.warnings += check_revokers(works, self.signers, self.ledger, self.now)

    def _tell(self, works: t.Sequence[Work], what: str) -> None:
        if len(works) > MANY and not self.task.check:
            self.task.say(f"{len(works)} {what}")

    def _act(self, works: t.Sequence[Work]) -> None:
        if not works:
            return
        from ._custody import abandoned
        from ._issuing import Issuing
        from ._withdrawal import revoke, strike

        batch = self._batch()
        self._adopt(works)
        issuing = Issuing(
            self.signers, self.ledger, batch, holder=str(self.holder), wait=self.wait, say=self.task.say,
            weak=self.review.policy.weak_lists, warnings=self.warnings, host=self.host,
            retry_refused=self.retry_refused,
        )  # fmt: skip
        to_adopt = [work for work in works if work.needs("adopt") and not work.error]
        if to_adopt:
            from ._originals import Setting, intend

            with failing(to_adopt):
                intend(to_adopt, Setting(self.ledger, batch, str(self.holder), self.review, self.warnings))
        to_issue = [work for work in works if work.needs("issue") and not work.error]
        self._tell(to_issue, "credentials to issue")
        with failing(to_issue):
            self._stage(to_issue, batch)
            issuing.run([work for work in to_issue if not work.error])
        ready = [work for work in works if not work.error]
        on_host = [work for work in ready if work.concerns_host]
        self._tell(on_host, "identities to install on the host")
        self._install(on_host, [work for work in works if work.error and work.lease], batch)
        strike([work for work in ready if not work.concerns_host])
        self._custody.settle([work for work in ready if not work.error])
        self.warnings += abandoned([work for work in ready if not work.error])
        _copies.write(ready, self.ledger, batch)
        for work in works:
            work.made = None
        revoke([work for work in ready if work.needs("revoke") and not work.error], self.signers, self.ledger, batch)
        with failing(ready):
            record(ready, self.ledger, batch, self.address)
        self.warnings += _in_doubt.warnings(works)

    def _stage(self, works: t.Sequence[Work], batch: Batch) -> None:
        """Make the next keys that are not made on the host."""
        self._custody.stage(works)
        self.warnings += _in_doubt.forsake([work for work in works if not work.error], self.ledger, batch)
        made_here = [work for work in works if work.identity.key.comes_down and not work.error]
        if made_here:
            from ._made_here import stage

            self.warnings += stage(made_here, self.ledger, batch)

    def _batch(self) -> Batch:
        return Batch(self.task.host, self.store, actor(self.task.playbook), self.now)

    def _adopt(self, works: t.Sequence[Work]) -> None:
        """Write down what a host has and the ledger never heard of; it is no change of the host."""
        works = [work for work in works if is_unknown(work) and not work.error]
        if not works:
            return
        from ._adoption import adopt

        with failing(works):
            self.warnings += adopt(works, self.signers, self.ledger, self._batch(), str(self.holder))

    def _install(self, works: t.Sequence[Work], given_up: t.Sequence[Work], batch: Batch) -> None:
        """Let the host act; then nothing may be left to do. What was given up costs no other run its lease."""
        if not works and not given_up:
            return
        with failing(works), remembering_loss(works, self.ledger, batch, self.address):
            self.host.install(works, given_up, datetime.now(UTC))
        for work in works:
            with failing([work]):
                check_settled(work, datetime.now(UTC))
