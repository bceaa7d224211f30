# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a database of PostgreSQL can be written by this role: known before anything on a host is (rule A1)."""

from __future__ import annotations

import typing as t

from .postgresql_errors import GRANT, PRIMARY

_NEEDED = (("INSERT", "events"), ("UPDATE", "identities"), ("DELETE", "turn"))  # of each kind of table, one

ASKED = ", ".join((
    "current_user",
    "current_setting('transaction_read_only')",  # a copy's is always on
    *(f"has_table_privilege('{table}', '{right}')" for right, table in _NEEDED),
))
"""What a SELECT asks, for `hindrance`."""


def hindrance(answer: t.Sequence[t.Any]) -> tuple[str, str] | None:
    """Return what keeps this role from writing, and the remedy; None when nothing does."""
    role, read_only, *held = answer
    if read_only == "on":
        return "is a read-only copy", PRIMARY
    lacking = [f"{right} on {table}" for (right, table), has in zip(_NEEDED, held, strict=True) if not has]
    if lacking:
        return f"does not permit role {role} to write (it lacks {', '.join(lacking)})", GRANT
    return None
