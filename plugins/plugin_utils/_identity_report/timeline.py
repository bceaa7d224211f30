# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When what is in use ends: by day for a quarter of a year, by month for two years, and what is before and after."""

from __future__ import annotations

import typing as t
from collections import Counter
from datetime import timedelta

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

DAYS, MONTHS = 91, 24


def timeline(ends: Iterable[datetime], now: datetime) -> dict[str, t.Any]:
    """Count moments in UTC, each once by day and once by month; `days` and `months` have every one, also of none."""
    known = list(ends)
    live = [one for one in known if one >= now]
    of_days, of_months = Counter(one.date() for one in live), Counter(f"{one:%Y-%m}" for one in live)
    days = [now.date() + timedelta(days=number) for number in range(DAYS)]
    months = [_month(now.date(), number) for number in range(MONTHS)]
    return {
        "ended": len(known) - len(live),
        "days": [{"day": one.isoformat(), "count": of_days[one]} for one in days],
        "months": [{"month": one, "count": of_months[one]} for one in months],
        "later": sum(count for month, count in of_months.items() if month > months[-1]),
    }


def _month(first: date, number: int) -> str:
    year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
    return f"{year:04}-{month + 1:02}"
