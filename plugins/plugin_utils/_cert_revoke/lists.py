# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be done about lists beside certificates: some are older than the ledger, some are not as they should be.

What goes wrong with one list concerns its issuer alone, so that it never keeps others from revoking.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError
from ...module_utils._core.model import Step
from ...module_utils._core.revoking import KeepsList, ListsKeys
from .._ledger.port import Event, Outcome
from .._older_lists import Older, bring_back, keyless, known_revoked, older
from .wanted import WHO

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ...module_utils._core.ports import Issuer
    from ...module_utils._core.revoking import PublishesLists
    from .._ledger.chain import Readable
    from .._ledger.port import Batch
    from .._older_lists import Records
    from .._signers import Signers
    from .decide import Found


class Lists:
    """Lists that are to be mended, and what went wrong with some of them, by the id of their issuer."""

    def __init__(self, ledger: Readable, signers: Signers, found: Sequence[Found], now: dt.datetime) -> None:
        """Look at those that are about to be made, and those that nobody else brings up to date."""
        self.errors: dict[str, KeysteadError] = {}
        self.older: list[Older] = []
        self.stale: list[tuple[Issuer, Step]] = []
        self._keyless: list[str] = []
        about = {one.issuer.id for one in found if one.to_revoke or one.lost or (one.to_record and one.begun)}
        for issuer in signers.all():
            if isinstance(issuer, KeepsList) or issuer.id in about:
                try:
                    self._look(ledger, issuer, found, now)
                except KeysteadError as error:
                    self.errors[issuer.id] = error

    def _look(self, ledger: Readable, issuer: Issuer, found: Sequence[Found], now: dt.datetime) -> None:
        known = known_revoked(ledger, issuer, now)
        at_hand = [one.target.kept for one in found if one.target.kept.certificate and (one.to_revoke or one.lost)]
        warning = keyless(known, issuer, {kept.public_id for kept in at_hand})
        self._keyless += [f"{WHO}: {warning}"] if warning else []
        lost = older(known, issuer, _restored(found, issuer))
        reason = issuer.list_due() if isinstance(issuer, KeepsList) else None
        if lost:
            self.older.append(lost)
        elif reason:
            self.stale.append((issuer, Step("publish", reason, issuer.id)))

    @property
    def steps(self) -> list[Step]:
        """What is done beside what is selected; when it was tried, what came of it."""
        every = [*(one.step for one in self.older), *(step for _issuer, step in self.stale)]
        return [step for step in every if step.about not in self.errors]

    @property
    def warnings(self) -> list[str]:
        """What nobody here can mend."""
        return self._keyless + [
            f"{WHO}: {who}: its list cannot be mended: {error}; nothing is revoked there, and the other issuers go on"
            for who, error in self.errors.items()
        ]

    def spared(self, found: Sequence[Found]) -> list[Found]:
        """Return what was found; where a list would be made without what it lost, nothing is done, and that is why."""
        errors = [self.errors.get(one.issuer.id) if one.issuer is not None and _acts(one) else None for one in found]
        return [one._replace(error=error, lost=False) if error else one
                for one, error in zip(found, errors, strict=True)]  # fmt: skip

    def bring_back(self, ledger: Records, batch: Batch) -> None:
        """Have lists tell again of what they lost, before anything else is in them, and record that."""
        for one in self.older:
            try:
                bring_back(one, ledger, batch)
            except KeysteadError as error:
                self.errors[one.issuer.id] = error

    def mend(self, ledger: Records, batch: Batch) -> None:
        """Have lists written anew that are not as they should be, and record that."""
        for issuer, step in self.stale:
            event = Event("publish", step.reason, "ok")
            try:
                t.cast("PublishesLists", issuer).publish_list()
            except KeysteadError as error:
                self.errors[issuer.id] = error
                event = Event("publish", step.reason, "failed", str(error))
            ledger.record(batch, [Outcome(issuer.id, None, (event,))])


def _acts(one: Found) -> bool:
    return one.to_revoke or one.lost or one.to_record


def _restored(found: Sequence[Found], issuer: Issuer) -> set[int]:
    """Return what the task itself brings back; without its certificate the task has no key to list either."""
    mine = [one for one in found if one.lost and one.issuer.id == issuer.id]
    told = [one.revocation for one in mine if one.revocation]
    return {one.serial_number for one in told if one.certificate is not None or not isinstance(issuer, ListsKeys)}
