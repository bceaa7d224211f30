# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is withdrawn without the host: credentials at whoever signed them (`revoke_on_absent`), and records."""

from __future__ import annotations

import time
import typing as t

from ..module_utils._core import credentials
from ..module_utils._core.errors import KeysteadError, Misconfigured
from ..module_utils._core.model import ADOPTED, OBSERVED, Done
from ..module_utils._core.ports import Revoker
from ._ledger.port import Event, Outcome, RevokedChange
from ._older_lists import bring_back, keyless, known_revoked, older
from ._work import failing

if t.TYPE_CHECKING:
    import datetime as dt

    from ..module_utils._core.revoking import Revocation
    from ._ledger.chain import Readable
    from ._ledger.port import Batch, Ledger
    from ._signers import Signers
    from ._work import Work


class Credential(t.NamedTuple):
    """A certificate (DER), the id of who signed it, and which generation it is."""

    certificate: bytes
    issuer_id: str
    number: int | None


REASON = "cessation_of_operation"  # RFC 5280, 5.3.1


def revoke(works: t.Sequence[Work], signers: Signers, ledger: Ledger, batch: Batch) -> None:
    """Revoke what each identity has, and write down that and why, the intent before the act (A1).

    A list that is older than the ledger gets back what it lost before it has anything else.
    """
    whole: set[str] = set()
    for work in works:
        reason, started = work.reason("revoke"), time.monotonic()
        try:
            for one in _what(work):
                ledger.record(batch, [Outcome(work.name, one.number, (Event("revoke", reason, "pending"),))])
                issuer = _revoker(signers, one.issuer_id)
                if one.issuer_id not in whole and (lost := older(_known(issuer, ledger, batch.at), issuer)):
                    bring_back(lost, ledger, batch)
                whole.add(one.issuer_id)
                change = _revoked(issuer, one)
                if work.remembered:  # a ledger that was lost or replaced knows nothing that could change
                    ledger.record(batch, [Outcome(work.name, one.number, (), (change,))])
        except KeysteadError as error:
            work.error = error
        work.done.append(Done("revoke", reason, time.monotonic() - started, str(work.error) if work.error else None))


def strike(works: t.Sequence[Work]) -> None:
    """Take note that the host, which has nothing of these identities, has no part in what is to be done."""
    for work in works:
        work.after = work.found
        struck = (step for step in work.steps if step.action == "withdraw" and not step.about)
        work.done += [Done(step.action, step.reason) for step in struck]


def check_revokers(works: t.Sequence[Work], signers: Signers, ledger: Ledger, now: dt.datetime) -> list[str]:
    """Find who can revoke what is to be revoked, before anything is touched, and say what their lists lost."""
    told: dict[str, list[str]] = {}
    for work in works:
        with failing([work]):
            for one in _what(work):
                issuer = _revoker(signers, one.issuer_id)
                if one.issuer_id not in told:
                    told[one.issuer_id] = list(_lost(issuer, _known(issuer, ledger, now)))
    return [f"machine_identity: {warning}" for warnings in told.values() for warning in warnings]


def _known(issuer: Revoker, ledger: Ledger, now: dt.datetime) -> list[Revocation]:
    return known_revoked(t.cast("Readable", ledger), issuer, now)


def _lost(issuer: Revoker, known: list[Revocation]) -> t.Iterator[str]:
    if lost := older(known, issuer):
        yield f"{lost.step.reason}; it has all of that again before it has more"
    if warning := keyless(known, issuer):
        yield warning


def _what(work: Work) -> list[Credential]:
    """Return what the host has, else what it had last; and what was issued for it and maybe never reached it."""
    found, known = work.found, work.remembered
    opened = known.open_intent if known else None
    credentials: list[Credential] = []
    if found and found.certificate and found.issuer_id:
        credentials.append(Credential(found.certificate, found.issuer_id, found.generation))
    elif known:
        credentials += _read(known.certificate, known.issuer_id, known.last)
    if opened:
        credentials += _read(opened.certificate, opened.issuer_id, opened.number)
    if not credentials:
        raise Misconfigured(
            f"machine_identity: identities[{work.name}].revoke_on_absent: neither host nor ledger has a certificate of "
            "it; leave revoke_on_absent out"
        )
    return list(dict.fromkeys(credentials))


def _read(certificate: str | None, issuer_id: str | None, number: int | None) -> t.Iterator[Credential]:
    if certificate and issuer_id:
        yield Credential(credentials.encoded(certificate.encode()), issuer_id, number)


def _revoked(issuer: Revoker, one: Credential) -> RevokedChange:
    answer = issuer.revoke([one.certificate], REASON)[0]
    if isinstance(answer, KeysteadError):
        raise answer
    return RevokedChange(answer.reason, answer.when)


def _revoker(signers: Signers, issuer_id: str) -> Revoker:
    if issuer_id.startswith((ADOPTED, OBSERVED)):
        who = issuer_id.partition(":")[2]
        raise Misconfigured(
            f"machine_identity: option revoke_on_absent: {who} signed this certificate before it came to us, and only "
            "it can revoke it; revoke it there, and leave revoke_on_absent out"
        )
    issuer = signers.by_id(issuer_id)
    if not isinstance(issuer, Revoker):
        raise Misconfigured(f"{issuer_id}: it cannot revoke; leave revoke_on_absent out")
    return issuer
