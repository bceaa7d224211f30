# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_ledger_info: rows of the ledger and of records by page, with what is to be said of each."""

from __future__ import annotations

import typing as t

from ..module_utils._core.errors import Misconfigured
from ._policy.load import load
from ._policy.weak_lists import known_weak
from ._recall import opened
from ._records.files import read
from ._rows.alike import around
from ._rows.asked import selection
from ._rows.findings import findings
from ._rows.page import key_of, page
from ._rows.said import said
from ._rows.strength import weak_keys

if t.TYPE_CHECKING:
    from datetime import datetime

WHO = "identity_ledger_info"
MOST = 10_000


def answer(args: t.Mapping[str, t.Any], now: datetime) -> dict[str, t.Any]:
    """Return what the task returns. Raises KeysteadError; the ledger is opened to be read, and must be there."""
    asked = selection(args, now, WHO)
    if not 1 <= args["limit"] <= MOST:
        raise Misconfigured(f"{WHO}: option limit: {args['limit']} is not from 1 to {MOST}; write such a number")
    after = None if args["after"] is None else key_of(args["after"], f"{WHO}: option after")
    policy, records = load(args["policy"], now), read(args["records"] or ())
    with opened(args, WHO) as ledger:
        found = page(ledger, records, asked, after, args["limit"])
        alike = around(ledger, found.rows, records)
    weak = weak_keys(found.rows, known_weak(policy.weak_lists))
    return {
        "changed": False,
        "rows": [said(one, findings(one, policy, alike, weak, now)) for one in found.rows],
        "total": found.managed + found.observed,
        "counts": {"managed": found.managed, "observed": found.observed},
        "next": found.after,
    }
