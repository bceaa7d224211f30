# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where a revocation is recorded: in the ledger, or, in an emergency while that is down, in a journal for it."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError, Unavailable
from .._ledger.location import path_of
from .._ledger.registry import open_for
from .._ledger.target import is_postgresql, target_of
from .wanted import WHO

if t.TYPE_CHECKING:
    from .._ledger.journal import Journal
    from .._ledger.ledger import SqlLedger
    from .wanted import Wanted


def opened(args: t.Mapping[str, t.Any], wanted: Wanted, *, check: bool) -> tuple[SqlLedger | Journal, list[str]]:
    """Return what records, and what is to be said of it. Raises KeysteadError: without a ledger nothing is revoked."""
    url = args["ledger"]
    if url:  # one that is misspelt is no ledger that is down
        (target_of if is_postgresql(url) else path_of)(url)
    try:
        return open_for(args, read_only=check), []
    except KeysteadError as error:
        if not wanted.emergency:
            raise
        return _journal(url, wanted, error, check=check)


def _journal(url: str | None, wanted: Wanted, error: KeysteadError, *, check: bool) -> tuple[Journal, list[str]]:
    from .._ledger.journal import Journal

    for entry in wanted.entries:
        if entry.identity or entry.host or not entry.names_one:
            raise Unavailable(
                f"{error}; {WHO}: option {entry.at}: who has which certificate only the ledger knows; in an emergency "
                "without it, give path, pem or serial_number"
            )
    journal = Journal(url, read_only=check)
    told = (
        f"{WHO}: the ledger is down ({error}); what is revoked is signed in {journal.path}, and the next run writes it "
        "into the ledger; nobody looked where it is in use"
    )
    return journal, [told]
