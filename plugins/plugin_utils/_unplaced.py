# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What issuers list as signed, what still lives, and what no host showed: recorded for whoever sweeps (rule R1)."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._core.credentials import credential, encoded
from ..module_utils._core.ports import Lister, Revoked, Revoker
from ._actor import actor, holder
from ._adoption import intended, revocation
from ._ledger.port import UNPLACED, Batch, Event, Intent, Orphaned, Outcome, Withdrawn
from ._ledger.queries import credentials
from ._signed import issued

if t.TYPE_CHECKING:
    from ..module_utils._core.ports import IssuedRecord, Issuer
    from ._action import Task
    from ._ledger.ledger import SqlLedger
    from ._signers import Signers

EVER = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = 200
REASON = "its issuer lists it, and no store that was recorded holds it: whoever has it was not witnessed"


def record_unplaced(ledger: SqlLedger, signers: Signers, task: Task) -> dict[str, t.Any]:
    """Record them under the issuer's place; return what the task returns."""
    known, now = credentials(ledger), datetime.now(UTC)
    recorded: list[str] = []
    warnings: list[str] = []
    for issuer in signers.all():
        if not isinstance(issuer, Lister):
            warnings.append(f"{issuer.place} cannot list what it signed; what no host showed stays unknown")
            continue
        found = {_name(record): record for record in issuer.issued(EVER) if _lives(record, known, now)}
        recorded += sorted(found)
        batch = Batch(UNPLACED, issuer.place, actor(task.playbook), now)
        names = sorted(found)
        for start in range(0, 0 if task.check else len(names), AT_ONCE):
            part = {name: found[name] for name in names[start : start + AT_ONCE]}
            warnings += _record(part, issuer, ledger, batch)
    return {"changed": bool(recorded), "recorded": recorded, "store": None, "warnings": warnings}


def _lives(record: IssuedRecord, known: frozenset[str], now: datetime) -> bool:
    one = record.generation
    return one.not_after > now and one.credential_id not in known and not _credential(record).facts.is_ca


def _credential(record: IssuedRecord) -> t.Any:
    return credential(_content(record))


def _content(record: IssuedRecord) -> bytes:
    return encoded(record.generation.parts["certificate"].content)


def _name(record: IssuedRecord) -> str:
    return f"serial-{record.serial_number:x}"


def _record(found: t.Mapping[str, IssuedRecord], issuer: Issuer, ledger: SqlLedger, batch: Batch) -> list[str]:
    intents = [_intent(name, record, issuer.id) for name, record in found.items()]
    warnings = intended(intents, ledger, batch)
    names = {intent.name for intent in intents}
    outcomes = [_outcome(name, record, issuer) for name, record in found.items() if name in names]
    if outcomes:
        ledger.record(batch, outcomes)
    return warnings


def _intent(name: str, record: IssuedRecord, issuer_id: str) -> Intent:
    key_type = _credential(record).facts.key_type
    return Intent(name, 1, record.public_id, issuer_id, key_type, str(holder()), reason=REASON)


def _outcome(name: str, record: IssuedRecord, issuer: Issuer) -> Outcome:
    """Return a credential that nobody is known to hold: an orphan, or one that was revoked."""
    parts = record.generation.parts
    chain = parts["chain"].content if "chain" in parts else b""
    change = issued(parts["certificate"].content, chain)
    status = issuer.status(_content(record)) if isinstance(issuer, Revoker) else None
    end = revocation(status) if isinstance(status, Revoked) else Orphaned()
    return Outcome(name, 1, (Event("rebuild", REASON),), (change, end or Orphaned(), Withdrawn()))
