# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A lost ledger is made again: from what the stores of hosts hold, then from what issuers list.

Nobody witnessed what is recorded so, and the chain of events says it: an event `rebuild` comes first (rule A2). What a
host shows is believed only as far as its issuer confirms it (C3).
"""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._core import credentials, wire
from ..module_utils._core.errors import KeysteadError, Misconfigured
from ..module_utils._core.key import Key
from ..module_utils._core.model import Identity, Known
from ..module_utils._core.ports import Revoker, Unknown
from ._actor import actor, holder
from ._adoption import EVERYTHING, broken, write_down
from ._declare import Declaration, check_name, checked_issuer, checked_store
from ._host_half import HostHalf, error_of, observed_of
from ._info import by, store_of
from ._ledger.port import Batch
from ._ledger.queries import events
from ._ledger.registry import open_for
from ._signers import Signers
from ._work import Work, is_foreign

if t.TYPE_CHECKING:
    from ._action import Task
    from ._adoption import Status
    from ._ledger.ledger import SqlLedger
    from ._ledger.port import Outcome, Remembered

MODULE = "ledger_rebuild"
_ADOPTED = (
    "it was adopted, so no issuer here can confirm it; the next run on {host} that declares {name} with adopt "
    "records it"
)


def rebuild(args: t.Mapping[str, t.Any], task: Task) -> dict[str, t.Any]:
    """Return what the task returns: `recorded`, the names; `store` with `taken_over`; `warnings`."""
    signers = Signers([issuer for one in args["issuers"] if (issuer := checked_issuer(one))], MODULE)
    path = checked_store(args)
    ledger = open_for(args, read_only=task.check)
    try:
        if args["source"] == "issuers":
            from ._unplaced import record_unplaced

            return record_unplaced(ledger, signers, task)
        return _Store(ledger, signers, task, path).rebuild(args["lost_ledger"], may_be_missing=args["may_be_missing"])
    finally:
        ledger.close()


class _Store:
    """One store of one host."""

    def __init__(self, ledger: SqlLedger, signers: Signers, task: Task, path: str) -> None:
        self.ledger, self.signers, self.task, self.path = ledger, signers, task, path
        self.now = datetime.now(UTC)
        self.warnings: list[str] = []

    def rebuild(self, lost: str | None, *, may_be_missing: bool) -> dict[str, t.Any]:
        """Record what it holds. Raises Misconfigured for one that is not there, unless it may be missing."""
        half = HostHalf(self.task.execute, self.path, self.task.host, None, {}, self.warnings)
        answer = half.read([], self.now, others=True, paths=[])
        about = store_of(answer, self.path)
        self._check_is_there(about, may_be_missing=may_be_missing)
        taken_over = self._is_of_lost(about, lost)
        remembered = self.ledger.remembered(self.task.host, self.path)
        found: list[tuple[Work, Status]] = []
        for name, said in sorted(by(answer, "identities", "name").items()):
            work = self._work(name, said, remembered.get(name))
            if work is not None and (status := self._status(work)) is not None:
                found.append((work, status))
        gap = broken(about["ledger_id"] if taken_over else None)
        noted = bool(found) or (taken_over and not self._is_noted(gap))
        if not self.task.check:
            self._record(found, gap if noted else None)
        return {
            "changed": noted,
            "recorded": [work.name for work, _status in found],
            "store": {**about, "taken_over": taken_over},
            "warnings": self.warnings,
        }

    def _check_is_there(self, about: dict[str, t.Any], *, may_be_missing: bool) -> None:
        """Refuse a store that is not read: what it holds would be taken for what no host has."""
        if about["failed"]:
            raise Misconfigured(about["msg"])
        if not about["exists"] and not may_be_missing:
            raise Misconfigured(
                f"{MODULE}: store {self.path} does not exist on {self.task.host}; name in option store "
                "(keystead_stores of the playbook) where it is, or say may_be_missing: true (keystead_may_be_missing) "
                "if there may be none"
            )

    def _is_of_lost(self, about: dict[str, t.Any], lost: str | None) -> bool:
        """Tell whether a store belongs to the ledger that is lost; refuse one of another ledger or host."""
        if about["host"] not in (None, self.task.host):
            raise Misconfigured(f"{MODULE}: store {self.path} belongs to host {about['host']}, not to {self.task.host}")
        claim = about["ledger_id"]
        if claim in (None, self.ledger.id):
            return False
        if claim != lost:
            raise Misconfigured(
                f"{MODULE}: store {self.path} belongs to ledger {claim}; when that one is lost, "
                f"write lost_ledger: {claim}, otherwise use it"
            )
        return True

    def _work(self, name: str, said: dict[str, t.Any], remembered: Remembered | None) -> Work | None:
        """Return what a host has and the ledger does not know; what cannot be read is a warning."""
        known = Known(newest=remembered.newest if remembered else 0)
        try:
            check_name(name)
            work = _unclaimed(Identity(name), remembered, known)
            if error := error_of(said):
                raise error
            work.found = observed_of(work, said)
            if work.found.certificate is None or (work.found.generation or 0) <= known.newest:
                return None
            if is_foreign(work.found):
                raise Misconfigured(_ADOPTED.format(name=name, host=self.task.host))
            work.credential = credentials.credential(work.found.certificate)
            work.issuer = self.signers.by_id(work.found.issuer_id or "nobody")
        except (KeysteadError, ValueError) as error:
            self.warnings.append(f"{name[:63]} is not recorded: {wire.text(str(error))}")
            return None
        work.identity = Identity(name, issuer_id=work.issuer.id, key=Key(type=work.credential.facts.key_type))
        return work

    def _status(self, work: Work) -> Status | None:
        """Ask who signed; without a yes nothing is believed."""
        certificate = work.found.certificate if work.found else None
        status = work.issuer.status(certificate or b"") if isinstance(work.issuer, Revoker) else Unknown()
        if isinstance(status, Unknown):
            self.warnings.append(f"{work.name} is not recorded: its issuer does not confirm that it signed it")
            return None
        return status

    def _is_noted(self, gap: Outcome) -> bool:
        """Tell whether an earlier run wrote this break down, and was cut off before the store was taken over."""
        told = events(self.ledger, host=self.task.host, store=self.path, identity=EVERYTHING)
        return any(event["reason"] == gap.events[0].reason for event in told)

    def _record(self, found: t.Sequence[tuple[Work, Status]], gap: Outcome | None) -> None:
        batch = Batch(self.task.host, self.path, actor(self.task.playbook), self.now)
        if gap:
            self.ledger.record(batch, [gap])
        self.warnings += write_down(found, self.ledger, batch, str(holder()))


def _unclaimed(identity: Identity, remembered: Remembered | None, known: Known) -> Work:
    declaration = Declaration(identity, None, None, {}, None, None, revoke_on_absent=False)
    return Work(declaration, identity, None, remembered, known)
