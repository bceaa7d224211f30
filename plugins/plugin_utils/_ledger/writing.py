# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a database of PostgreSQL can be written by this role: known before anything on a host is (rule A1)."""

from __future__ import annotations

import typing as t

from .postgresql_errors import GRANT, MIGRATE, PRIMARY

CONVERGE, SIGN, ARCHIVE = "converge", "sign", "archive"
"""What a ledger is written for."""

_NEEDED = {  # of each kind of table, one
    CONVERGE: (("INSERT", "events"), ("UPDATE", "identities"), ("DELETE", "turn")),
    SIGN: (("INSERT", "checkpoints"), ("INSERT", "shipments"), ("DELETE", "turn")),
    ARCHIVE: (("DELETE", "events"), ("INSERT", "archives"), ("DELETE", "turn")),
}
_REMEDIES = {
    CONVERGE: GRANT,
    SIGN: f"let its owner grant this role what it needs, as keystead_ledger_signers: {MIGRATE}",
    ARCHIVE: "name the role that owns the ledger: nobody else takes events out of it",
}


def asked(purpose: str = CONVERGE) -> str:
    """Return what a SELECT asks, for `hindrance`."""
    rights = (f"has_table_privilege('{table}', '{right}')" for right, table in _NEEDED[purpose])
    return ", ".join(("current_user", "current_setting('transaction_read_only')", *rights))  # always on in a copy


def hindrance(answer: t.Sequence[t.Any], purpose: str = CONVERGE) -> tuple[str, str] | None:
    """Return what keeps this role from writing, and the remedy; None when nothing does."""
    role, read_only, *held = answer
    if read_only == "on":
        return "is a read-only copy", PRIMARY
    lacking = [f"{right} on {table}" for (right, table), has in zip(_NEEDED[purpose], held, strict=True) if not has]
    if lacking:
        return f"does not permit role {role} to write (it lacks {', '.join(lacking)})", _REMEDIES[purpose]
    return None
