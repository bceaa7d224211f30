# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What follows from requests that came to no end, where a server knows them by their keys, or revokes what it renews.

All of it is in the ledger before a host is asked, so neither another declaration nor a run that is cut off loses it.
"""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

from ..module_utils._core.checks_x509 import all_names
from ..module_utils._core.errors import Denied, Pending, Unasked, Unavailable, Unreached
from ._issuers.facts import FACTS
from ._ledger.port import Event, Orphaned, Outcome
from ._work import failing

if t.TYPE_CHECKING:
    from ..module_utils._core.errors import KeysteadError
    from ..module_utils._core.model import Subject
    from ._issuers.facts import Facts
    from ._ledger.port import Batch, Ledger, OpenIntent, Remembered
    from ._work import Work

_WHY = "another request took its place"


def doubted(known: Remembered) -> str | None:
    """Return the id of a credential that is in service, and that its issuer may have revoked for another one."""
    facts = _facts(known.issuer_id)
    return known.credential_id if known.doubted and facts is not None and facts.may_revoke_renewed else None


def spent(known: Remembered, subject: Subject) -> str | None:
    """Return the id of the key that was asked for last, where it must not be used for this subject.

    It was refused in the end, or it was for other names: its server would answer to that. One whose answer got lost, or
    that waits, is used again (R1); names are all that a request has, so another life is none.
    """
    last, facts = known.asked, _facts(known.asked.issuer_id if known.asked else None)
    if last is None or last.asked is None or facts is None or not facts.knows_by_key:
        return None
    said = json.loads(last.asked)
    same = (said["common_name"], said["names"]) == (subject.common_name, sorted(all_names(subject)))
    return None if same and last.state not in ("refused", "orphaned") else last.public_id


def was_asked(refusal: KeysteadError) -> bool:
    """Tell whether who was to sign was asked at all, and did not want to."""
    return isinstance(refusal, Denied) and not isinstance(refusal, Unasked)


def forsake(works: t.Sequence[Work], ledger: Ledger, batch: Batch) -> list[str]:
    """Write down what may be signed for keys that gave way to others; return a warning for each."""
    told = []
    for work in works:
        opened, found = work.remembered.open_intent if work.remembered else None, work.found
        if opened is None or found is None or not work.public_id or opened.public_id == work.public_id:
            continue
        facts = _facts(opened.issuer_id)
        if facts is None or not facts.knows_by_key or opened.number in (found.generation, *found.others):
            continue
        with failing([work]):
            told.append(_forsaken(work, opened, ledger, batch))
    return told


def _forsaken(work: Work, opened: OpenIntent, ledger: Ledger, batch: Batch) -> str:
    from ._signed import issued

    names = ", ".join(json.loads(opened.asked)["names"]) if opened.asked else "names that are not recorded"
    window = f"between {opened.since:%Y-%m-%d %H:%M:%S} and {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, or may yet"
    said = f"{opened.issuer_id} may have signed key {opened.public_id} for {names} {window}; nobody has that key"
    change = Orphaned(issued(opened.certificate.encode(), b"") if opened.certificate else None)
    ledger.record(batch, [Outcome(work.name, opened.number, (Event("issue", _WHY, "orphaned", said),), (change,))])
    kept = f"what {opened.issuer_id} may sign for that is recorded as an orphan"
    return f"{work.name}: another request takes the place of that for {names}; {kept}"


def warnings(works: t.Sequence[Work]) -> list[str]:
    """Return a warning for each identity that was to be renewed in vain, and whose pair may be revoked by now."""
    return [
        f"{work.name}: {str(work.issuer.id).partition(':')[0]} was asked to renew what is in service, and may have "
        "revoked it; put right what failed, and run again: another one is issued, even where the declaration is put "
        "back to what it was"
        for work in works
        if work.issuer is not None and _is_revoked_perhaps(work)
    ]


def _is_revoked_perhaps(work: Work) -> bool:
    found, facts = work.found, _facts(work.issuer.id if work.issuer else None)
    if found is None or found.credential is None or facts is None or not facts.may_revoke_renewed:
        return False
    if found.issuer_id != (work.issuer and work.issuer.id) or work.error is None or isinstance(work.error, Pending):
        return False
    after = work.after.generation if work.after else found.generation
    if after is None or after == work.number:
        return False
    before = work.known.doubted == found.credential.credential_id
    return before or (work.number is not None and _may_be_signed(work))


def _may_be_signed(work: Work) -> bool:
    if work.generation is not None or work.orphaned is not None:
        return True
    return isinstance(work.error, Unavailable) and not isinstance(work.error, Unreached)


def _facts(issuer_id: str | None) -> Facts | None:
    """Return what is known of an issuer; None for one that nobody here speaks to, as of what was adopted."""
    return FACTS.get((issuer_id or "").partition(":")[0])
