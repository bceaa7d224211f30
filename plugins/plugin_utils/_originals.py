# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What somebody else had issued: judged before it is adopted, recorded where it is only observed.

A run that finds nothing new comes here too, so what only work needs is imported where it is done.
"""

from __future__ import annotations

import itertools
import typing as t

from ..module_utils._core.adopted import adopted_id, differences, once_adopted
from ..module_utils._core.checks import Look
from ..module_utils._core.errors import Denied, KeysteadError, Misconfigured, Pending
from ..module_utils._core.model import OBSERVED
from ._findings import finding, said, shared, weak
from ._ledger.port import Delivered, Event, Held, Outcome
from ._ledger.queries import holders
from ._work import plan

if t.TYPE_CHECKING:
    from datetime import datetime

    from ..module_utils._core.model import Original
    from ._ledger.chain import Readable
    from ._ledger.port import Batch, Intent, Ledger
    from ._policy.review import Review
    from ._work import Work

SEEN = "it was seen on the host, and is not managed"


class Setting(t.NamedTuple):
    """What a run has for everything that was not issued by it: where it is written down, who says so, who judges."""

    ledger: Ledger
    batch: Batch
    holder: str
    review: Review
    warnings: list[str]


def consider(works: t.Sequence[Work], run: Setting, *, check: bool) -> None:
    """Judge, then record what is only observed; in check mode, show what would follow an adoption."""
    judge(works, run)
    sound = [work for work in works if not work.error]
    if check:
        foresee([work for work in sound if work.needs("adopt")], run.batch.at)
    else:
        observe(sound, run)


def judge(works: t.Sequence[Work], run: Setting) -> None:
    """Check what a host says it found, and add findings and warnings; what may not be adopted ends with an error."""
    keys: dict[str, str] = {}
    for work in works:
        try:
            _check_observable(work)
            _read(work)
            told = _look_for_others(work, run, keys)
            work.findings += _weak(work)
        except KeysteadError as error:
            work.error = error
            continue
        work.findings += [finding("differs", text) for text in _differences(work, run.batch.at)]
        work.settle_findings()
        _warn(work, work.findings, told, run.warnings)


def _warn(work: Work, findings: t.Sequence[dict[str, str]], told: list[str], warnings: list[str]) -> None:
    """Warn of findings; of a shared key only where the policy has not `told` of it."""
    silent = ("differs", "shared_key") if told else ("differs",)
    warnings += told + [f"{work.name}: {one['msg']}" for one in findings if one["code"] not in silent]


def foresee(works: t.Sequence[Work], now: datetime) -> None:
    """Add to the steps of each what follows its adoption in the same run."""
    for work in works:
        work.steps += plan(work, once_adopted(_look(work, now)).found, now)
        work.settle_findings()


def intend(works: t.Sequence[Work], run: Setting) -> None:
    """Write down what is going to be adopted (A1); what another run is at work on waits.

    Hosts adopt at the same time: who else has a key is looked up once more when it is written down.
    """
    from ._intent import intent

    intents: dict[str, Intent] = {}
    for work in works:
        original = _original(work)
        work.number = next(int(step.about) for step in work.steps if step.action == "adopt")
        work.public_id = original.credential.public_id
        issuer_id = adopted_id(original.credential)
        intents[work.name] = intent(work, work.reason("adopt"), run.holder, issuer_id)._replace(shared=True)
    while not _intended(list(intents.values()), works, run.ledger, run.batch):
        intents = {work.name: intents[work.name] for work in works if work.error is None}
    for work in works:
        if work.error is None and not any(one["code"] == "shared_key" for one in work.findings):
            count, told = len(work.findings), list[str]()
            try:
                told = _look_for_others(work, run, {})
            except KeysteadError as error:
                work.error = error
            _warn(work, work.findings[count:], told, run.warnings)


def _intended(intents: list[Intent], works: t.Sequence[Work], ledger: Ledger, batch: Batch) -> bool:
    try:
        if intents:
            ledger.intend(batch, intents)
    except Held as held:
        for work in works:
            if work.name in held.names:
                work.error = Pending(str(held), held.retry_after)
        return False
    return True


def observe(works: t.Sequence[Work], run: Setting) -> None:
    """Write down the credentials that are only observed, where they are others than those known."""
    new = [work for work in works if work.identity.state == "observed" and _is_new(work)]
    if not new:
        return
    from ._intent import intent

    intents = []
    for work in new:
        if work.found is None or work.credential is None:
            continue
        work.number = max(work.known.newest + 1, work.found.generation or 0)
        work.public_id = work.credential.public_id
        intents.append(intent(work, SEEN, run.holder, adopted_id(work.credential, OBSERVED))._replace(shared=True))
    run.ledger.intend(run.batch, intents)
    run.ledger.record(run.batch, [_seen(work) for work in new])


def _is_new(work: Work) -> bool:
    known, credential = work.remembered, work.credential
    if credential is None:
        return False
    return known is None or known.state != "present" or known.credential_id != credential.credential_id


def _seen(work: Work) -> Outcome:
    from ..module_utils._core import pki
    from ._signed import issued

    found = work.found
    original = found.original if found else None
    certificate = (found and found.certificate) or b""
    chain = b"".join(map(pki.pem_certificate, original.chain)) if original else b""
    changes = (issued(pki.pem_certificate(certificate), chain), Delivered())
    return Outcome(work.name, work.number, (Event("publish", SEEN),), changes)


def _original(work: Work) -> Original:
    if work.found is None or work.found.original is None:
        raise Denied(f"host: it does not say what is to be adopted for {work.name}; run again")
    return work.found.original


def _check_observable(work: Work) -> None:
    """Raise Misconfigured where nothing can be only observed: what is managed here is not somebody else's."""
    if work.identity.state != "observed":
        return
    known = work.remembered
    ours = known is not None and known.state == "present" and not (known.issuer_id or "").startswith(OBSERVED)
    if ours or (work.found is not None and work.found.generation is not None):
        raise Misconfigured(f"{work.name}: it is managed here; say state: released first")
    adopt = work.identity.adopt
    if adopt is None:
        raise Misconfigured(f"{work.name}: nothing is named to be observed; write adopt: {{certificate: its path}}")
    if work.found is not None and work.found.original is None:
        work.findings.append(finding("missing", f"{adopt.certificate} does not exist, so there is nothing to observe"))


def _read(work: Work) -> None:
    """Parse what is to be recorded here, and follow its chain: a host could show anything."""
    found = work.found
    if found is None:
        return
    original = found.original
    if original is None:
        return
    credential = _parsed(work.name, original.certificate)
    _check_chain(work, original)
    work.findings += filter(None, map(said, original.findings))
    work.found = found._replace(original=original._replace(credential=credential))
    if work.identity.state == "observed":
        work.credential = credential
        work.found = work.found._replace(credential=credential, certificate=original.certificate)


def _parsed(name: str, certificate: bytes) -> t.Any:
    from ..module_utils._core import pki

    try:
        return pki.credential(certificate)
    except ValueError:
        raise Denied(f"host: what it shows as the certificate of {name} is none") from None


def _check_chain(work: Work, original: Original) -> None:
    from cryptography import x509

    from ..module_utils._core import pki
    from ._path import signed_by

    try:
        path = [x509.load_der_x509_certificate(one) for one in (original.certificate, *original.chain)]
        signed = [signed_by(below, above) for below, above in itertools.pairwise(path)]
    except pki.MALFORMED:
        raise Denied(f"{work.name}: the chain that the host shows cannot be read") from None
    if not all(signed) and work.identity.adopt:
        where = work.identity.adopt.chain or work.identity.adopt.certificate
        raise Denied(
            f"{work.name}: certificate {signed.index(False) + 1} of the chain in {where} did not sign the one "
            "before it; put the chain in order, the signer of the certificate first"
        )


def _look_for_others(work: Work, run: Setting, keys: dict[str, str]) -> list[str]:
    """Add a finding for a key that other hosts have, and return what the policy warns of it.

    Raises Denied where the policy refuses it, and for the key of another identity of this host (C4).
    """
    found = work.found
    credential = found and (found.original.credential if found.original else found.credential)
    if credential is None:
        return []
    host, known = run.batch.host, holders(t.cast("Readable", run.ledger), credential.public_id)
    users = [one for one in known if (one["host"], one["name"]) != (host, work.name)]
    here = next((one["name"] for one in users if one["host"] == host), keys.get(credential.public_id))
    keys.setdefault(credential.public_id, work.name)
    if here and work.needs("adopt"):
        raise Denied(
            f"{work.name}: its key is that of identity {here} of this host already; adopt a pair once, "
            "and give that identity the links of both"
        )
    named = [f"{one['name']} of {one['host']}" for one in users]
    others = shared(named)
    if others is None:
        return []
    work.findings.append(others)
    return run.review.found_shared(work.name, named) if _keeps_key(work) else []


def _keeps_key(work: Work) -> bool:
    """Tell whether this run leaves a key that was found as it is: to refuse a new one would keep the old in use."""
    adopt = work.identity.adopt
    return not (work.needs("issue") or (adopt is not None and adopt.replace == "now"))


def _weak(work: Work) -> t.Iterator[dict[str, str]]:
    """Yield the finding that a key which others made is too weak."""
    found = work.found
    credential = found and (found.original.credential if found.original else found.credential)
    if credential is not None:
        yield from weak(credential.facts.key_type)


def _differences(work: Work, now: datetime) -> tuple[str, ...]:
    if work.identity.state != "present" or work.found is None:
        return ()
    look = _look(work, now)
    return differences(once_adopted(look) if look.found.original else look)


def _look(work: Work, now: datetime) -> Look:
    found = work.found
    if found is None:
        raise Denied(f"host: it does not say what it has of {work.name}; run again")
    return Look(work.identity, found, found.credential, work.known, now, found.other)
