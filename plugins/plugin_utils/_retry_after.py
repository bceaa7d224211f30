# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When a server that has too much to do wants to be asked again (RFC 9110, 10.2.3)."""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

if t.TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_PAUSE = 86400.0  # seconds


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that Retry-After names, or until its date by the server's clock (RFC 9110, 10.2.3), or 1."""
    value = _named(headers, "retry-after")
    if re.fullmatch("[0-9]+", value, re.ASCII):
        return min(float(value), LONGEST_PAUSE)
    then, now = _moment(value), _moment(_named(headers, "date")) or datetime.now(UTC)
    return min(max((then - now).total_seconds(), 1.0), LONGEST_PAUSE) if then else 1.0


def _moment(value: str) -> datetime | None:
    """Return the time of a header (RFC 9110, 5.6.7), None where it is none."""
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _named(headers: Mapping[str, str], name: str) -> str:
    """Return a header, whatever the case of its name."""
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")
