# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When issuers want their certificates renewed (RFC 9773): asked as seldom as they say, kept in the ledger between."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, datetime, timedelta

from ..module_utils._core.errors import KeysteadError, Pending, Unavailable
from ..module_utils._core.schedule import Schedule, Scheduler
from ._ledger.port import Outcome, Scheduled

if t.TYPE_CHECKING:
    from ..module_utils._core.ports import Issuer
    from ._ledger.port import Batch, Ledger, Remembered
    from ._work import Work

FIRST = timedelta(hours=6)  # RFC 9773, 4.3.3: what to take where the server says nothing
BUDGET = 20.0  # seconds of one run, for all its certificates


def look(works: t.Sequence[Work], ledger: Ledger, batch: Batch, *, check: bool) -> None:
    """Ask for each certificate whose time has come, and keep the answers; one that cannot be had changes nothing."""
    who = {id(work.issuer): work.issuer for work in works}
    able = {key for key, issuer in who.items() if isinstance(issuer, Scheduler)}  # dear to ask of each of many
    due = [work for work in works if id(work.issuer) in able and is_to_ask(work)]
    if not due:
        return
    from ..module_utils._core import credentials

    outcomes, until = [], time.monotonic() + BUDGET
    silent: set[int] = set()
    for work in due:
        if time.monotonic() > until or id(work.issuer) in silent or work.remembered is None:
            continue
        try:
            der = credentials.encoded(str(work.remembered.certificate).encode())
            found = t.cast("Scheduler", work.issuer).schedule(der)
        except Unavailable:
            silent.add(id(work.issuer))  # renew_before holds; it is asked again in the next run
            continue
        except Pending as error:
            silent.add(id(work.issuer))
            found = _later(work.remembered, error.retry_after)
        except (KeysteadError, ValueError):  # of this certificate it says nothing; of its siblings it may
            found = _later(work.remembered)
        work.known = work.known._replace(
            scheduled=work.remembered.credential_id if found.renew_at else None, renew_at=found.renew_at
        )
        outcomes.append(Outcome(work.name, work.remembered.last, (), (Scheduled(*found),)))
    if outcomes and not check:
        ledger.record(batch, outcomes)


def _later(known: Remembered, seconds: float = FIRST.total_seconds()) -> Schedule:
    """Let what is known hold for a while."""
    return Schedule(known.renew_at, datetime.now(UTC) + min(timedelta(seconds=seconds), FIRST))


def is_to_ask(work: Work) -> bool:
    """Tell whether an issuer, one that can say it, may be asked now; not for what has ended (RFC 9773, 4.3)."""
    known, issuer = work.remembered, work.issuer
    if known is None or issuer is None or not known.certificate or work.identity.state != "present":
        return False
    if known.issuer_id != issuer.id:
        return False
    now = datetime.now(UTC)
    ended = known.not_after is None or known.not_after <= now
    return not ended and (known.ask_again is None or known.ask_again <= now)


def first_asked(issuer: Issuer | None) -> tuple[Scheduled, ...]:
    """Return when what is issued now is asked for at first: what it was made for does not change at once."""
    return (Scheduled(None, datetime.now(UTC) + FIRST),) if isinstance(issuer, Scheduler) else ()
