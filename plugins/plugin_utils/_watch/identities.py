# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Identities in use that somebody has to do something about, by the findings and the risk that the report has too."""

from __future__ import annotations

import typing as t

from .._endings import Ending
from .._identity_report.risk import risk
from .._ledger import rows as ledgers
from .._ledger.moments import moment
from .._policy.load import load
from .._policy.weak_lists import known_weak
from .._recall import opened
from .._rows.alike import Alike
from .._rows.findings import findings
from .._rows.selection import IN_USE, Selection
from .._rows.strength import broken_keys
from .judged import WHO

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .._identity_report.risk import Risk
    from .._rows.row import Row

_STATES = {"critical": "critical", "high": "warning"}
_LATE = "expires_soon"
"""No great risk yet, and yet nothing has renewed it in its time."""
_REMEDY = "run the playbook that declares it, and look at what fails there"
_OF_KEYS = "give it a key of its own with key_rotate"
_REMEDIES = {
    "revoked": "replace it with key_rotate", "shared_key": _OF_KEYS, "shared_factor": _OF_KEYS, "weak_key": _OF_KEYS,
}  # fmt: skip


def endings(args: t.Mapping[str, t.Any], now: datetime) -> Iterator[Ending]:
    """Yield what needs somebody. Raises KeysteadError."""
    policy = load(args["policy"], now)
    with opened(args, WHO) as ledger:
        rows = ledgers.select(ledger, Selection(states=(IN_USE,)))
        broken = broken_keys(ledger, rows, known_weak(policy.weak_lists))
    alike = Alike(rows)
    for row in rows:
        found = risk(row, findings(row, policy, alike, broken, now), now)
        late = any(one["code"] == _LATE for one in found.reasons)
        state = _STATES.get(found.level) or ("warning" if late else None)
        if state is not None:
            yield _ending(row, found, state)


def _ending(row: Row, found: Risk, state: str) -> Ending:
    worst = found.reasons[0]
    named = f"{row.name} on {row.host}" + (f" in {row.store}" if row.store else "")
    ends = moment(row.not_after) if row.not_after is not None else None
    said = "; ".join(one["msg"] for one in found.reasons)
    remedy = _REMEDIES.get(worst["code"], _REMEDY) + (f"; ask {row.contact}" if row.contact else "")
    return Ending("identity", named, said, remedy, ends, state=state)
