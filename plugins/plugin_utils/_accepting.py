# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which answer of an issuer an identity takes: one that passes V1 and lives long enough, late or at once."""

from __future__ import annotations

import contextlib
import json
import typing as t
from datetime import UTC, datetime

from ..module_utils._core import credentials
from ..module_utils._core.checks_x509 import all_names
from ..module_utils._core.errors import Denied, NotConverged
from ..module_utils._core.ports import Good, Lister, Revoked, Revoker
from ..module_utils._core.renewal import renew_at
from ._issuers.facts import facts_of
from ._verifying import check_after

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Credential, Generation, Identity
    from ..module_utils._core.ports import IssuedRecord, Issuer, Request
    from ._ledger.port import OpenIntent
    from ._work import Work

Judge = t.Callable[["Generation", "Request", str, t.Sequence[bytes], datetime], "Credential"]

ON_THE_WAY = 60  # seconds from here until the issuer is asked, at most


def listed(issuer: Issuer, since: datetime) -> t.Iterator[IssuedRecord]:
    """Yield what an issuer can say that it signed. One that may not say it forgets: no reason to sign nothing more."""
    if isinstance(issuer, Lister):
        with contextlib.suppress(Denied):
            yield from issuer.issued(since)


def lost_since(issuer: Issuer, work: Work, now: datetime) -> datetime | None:
    """Return when an issuer was asked to sign this key that may have done so and does not tell, if ever."""
    opened = work.remembered.open_intent if work.remembered else None
    if opened is None or opened.certificate or (opened.number, opened.public_id) != (work.number, work.public_id):
        return None
    if opened.issuer_id != issuer.id:
        return opened.since  # whoever it was is not asked any more
    facts = facts_of(issuer.id)
    if gives_again(opened, work, now):
        return None
    return opened.since if facts.may_forget else None


def gives_again(opened: OpenIntent, work: Work, now: datetime) -> bool:
    """Tell whether an issuer gives the same answer again: soon after, and to the same request."""
    left = facts_of(opened.issuer_id).same_again - ON_THE_WAY - (now - opened.since).total_seconds()
    return left > 0 and (opened.asked is None or _plain(opened.asked) == _plain(asked(work.identity)))


def _plain(asked_for: str) -> dict[str, t.Any]:
    """Return what an issuer hears of what is asked for."""
    return {name: value for name, value in json.loads(asked_for).items() if name != "question"}


def asked(identity: Identity) -> str:
    """Return what is asked for, as JSON: names, profile and lifetime."""
    names = sorted(all_names(identity.subject))
    told = {"common_name": identity.subject.common_name, "names": names, "profile": identity.profile}
    return json.dumps({**told, "lifetime": identity.lifetime}, sort_keys=True)


def still_fits(
    issuer: Issuer, work: Work, request: Request, answer: Generation, anchors: t.Sequence[bytes]
) -> bool:
    """Tell whether an answer that was lost passes V1 today, and was not revoked meanwhile.

    Raises Denied where its key was compromised: it must not get another one.
    """
    try:
        accepted_by(work, request, answer, anchors)
    except (Denied, NotConverged):
        return False
    if not isinstance(issuer, Revoker):
        return True
    status = issuer.status(credentials.encoded(answer.parts["certificate"].content))
    if isinstance(status, Revoked) and status.reason == "key_compromise":
        raise Denied(
            f"{backend(issuer.id)}: the staged key of {work.name} was compromised, says a revocation of "
            f"{status.when:%Y-%m-%d}; remove the directory next of {work.name} in the store, and run again"
        )
    return isinstance(status, Good)


def accepted_by(work: Work, request: Request, answer: Generation, anchors: t.Sequence[bytes]) -> Generation:
    """Apply V1, and refuse what would be due at once: it would be issued anew in every run."""
    now = datetime.now(UTC)
    credential = ACCEPTED[request.kind]()(answer, request, work.public_id, anchors, now)
    check_after(work, answer, anchors)
    due = renew_at(credential, work.identity.renew_before)
    if due <= now:
        raise NotConverged(
            f"{backend(answer.issuer_id)}: it grants {work.name} a life until {credential.not_after:%Y-%m-%d %H:%M} "
            f"UTC, and renew_before {_shown(work.identity.renew_before)} would make that due at once; "
            "declare a shorter renew_before, or let the authority grant a longer life"
        )
    return answer


def _x509() -> Judge:
    from ._answer import accepted

    return accepted


def _ssh_host() -> Judge:
    from ._answer_ssh import accepted

    return accepted


ACCEPTED: t.Mapping[str, t.Callable[[], Judge]] = {"x509": _x509, "ssh_host": _ssh_host}
"""Rule V1 by kind: what returns the credential of an answer that may be installed, and raises Denied otherwise."""


def backend(issuer_id: str) -> str:
    """Return which kind of issuer an id is of."""
    return issuer_id.partition(":")[0]


def _shown(renew_before: str) -> str:
    return renew_before if renew_before.endswith("%") else f"{renew_before}s"
