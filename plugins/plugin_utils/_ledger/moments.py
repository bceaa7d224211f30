# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the ledger writes a moment down: UTC, milliseconds, so that text sorts as time does."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """Return a moment as `2026-01-31T09:00:00.000Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def now() -> str:
    """Return this moment."""
    return stamp(datetime.now(UTC))


def moment(text: str) -> datetime:
    """Read a moment back."""
    return datetime.fromisoformat(text)
