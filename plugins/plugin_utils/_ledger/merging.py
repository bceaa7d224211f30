# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Writes into the ledger what an emergency wrote into a journal while it was down: once, whoever comes first."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from .journal import reading

if t.TYPE_CHECKING:
    from pathlib import Path

    from .ledger import SqlLedger
    from .port import Event, Outcome

_MERGED = "SELECT count(*) FROM events WHERE message LIKE ?"


def merge(ledger: SqlLedger, path: Path) -> None:
    """Record everything that a journal tells, with its own time and actor, and put the file aside.

    An event names the line that it came from, so that a merge that was cut off is gone on with. Raises Misconfigured
    for a journal that was changed.
    """
    with reading(path) as told:
        for digest, batch, outcomes in told:
            if ledger.read(_MERGED, (f"%journal {digest}%",)) == [(0,)]:
                ledger.record(batch, [_named(one, digest) for one in outcomes])
        if told:  # else somebody was quicker
            path.rename(path.with_name(f"{path.stem}.merged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.jsonl"))


def _named(outcome: Outcome, digest: str) -> Outcome:
    return outcome._replace(events=tuple(_with(event, digest) for event in outcome.events))


def _with(event: Event, digest: str) -> Event:
    source = f"journal {digest}"
    return event._replace(message=f"{event.message} ({source})" if event.message else source)
