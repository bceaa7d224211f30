# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was found in the whole of what there is, beside what a policy says: each with a code, for programs."""

from __future__ import annotations

import contextlib
import typing as t

from ...module_utils._core import credentials, pki
from ...module_utils._core.errors import printable
from .._findings import MOST_NAMED, finding
from .._ledger.moments import moment, stamp
from .._ledger.rows import select
from .._policy.weak_lists import known_weak
from .._rows import findings as of_rows
from .._rows.alike import Alike, around
from .._rows.strength import broken_keys
from .widths import common_name_of, wide_names, wide_usages

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .._ledger.chain import Readable
    from .._policy.policy import Policy
    from .._rows.row import Row
    from .._rows.selection import Selection

OF_FAILURES = ("policy", "expired", "revoked")
"""What `fails` says already."""
REPLACED, UNUSED = ("superseded", "rolled_back", "withdrawn"), ("issued", "orphaned")
LONG = 30
"""Days for which what was replaced is still good that are worth a revocation."""
Finding = dict[str, str]
Found = tuple["Row", Finding]


def findings(
    ledger: Readable | None, rows: t.Sequence[Row], policy: Policy, at: datetime, asked: Selection
) -> list[Found]:
    """Return what is to be said of rows in use, and then of what is in use nowhere and good all the same.

    `asked` is what the rows were selected by, which selects the others as well.
    """
    records = [one for one in rows if not one.managed]
    alike = around(ledger, rows, records) if ledger is not None else Alike(rows)
    broken = broken_keys(ledger, rows, known_weak(policy.weak_lists))
    found = [(row, one) for row in rows for one in _of(row, of_rows.findings(row, policy, alike, broken, at))]
    return [*found, *(_not_in_use(ledger, asked, at) if ledger is not None else ())]


def _of(row: Row, found: list[Finding]) -> Iterator[Finding]:
    yield from (one for one in found if one["code"] not in OF_FAILURES)
    certificate = _certificate(row)
    if certificate is not None:
        yield from wide_usages(certificate)
    yield from wide_names(row, None if certificate is None else common_name_of(certificate))
    if row.managed and row.state in REPLACED:
        where = printable(", ".join(row.live_paths[:MOST_NAMED]))
        yield finding("superseded_in_use", f"it was replaced, and is still at {where}; run its task")


def _not_in_use(ledger: Readable, asked: Selection, at: datetime) -> Iterator[Found]:
    """Yield what is good and nobody uses: whoever finds its key can."""
    ends_from = max(asked.ends_from or "", stamp(at))
    good = asked._replace(states=(*REPLACED, *UNUSED), ends_from=ends_from)
    for row in select(ledger, good):
        if row.in_use or row.revoked_at is not None or row.not_after is None:
            continue
        days = (moment(row.not_after) - at).days
        if row.state in UNUSED:
            yield row, finding("never_delivered", f"it was issued, is {row.state}, and good for {days} days; revoke it")
        elif days > LONG:
            yield row, finding("superseded_valid", f"it is {row.state}, and good for {days} more days; revoke it")


def _certificate(row: Row) -> t.Any:
    """Return the certificate of a row as cryptography has it; None where there is none of X.509 that can be read."""
    from cryptography import x509

    if row.certificate is None:
        return None
    with contextlib.suppress(*pki.MALFORMED, IndexError):
        content = credentials.encoded(row.certificate.encode())
        return None if credentials.is_of_ssh(content) else x509.load_der_x509_certificate(content)
    return None
