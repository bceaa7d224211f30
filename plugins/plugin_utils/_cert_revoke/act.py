# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Takes certificates back, slice by slice: the intent first, then the act, then a look at it, then the record (A1).

What a slice did is recorded before the next one begins, so that a run that is cut off is gone on with by the next.
"""

from __future__ import annotations

import itertools
import time
import typing as t

from ...module_utils._core.errors import KeysteadError, NotConverged, Unavailable
from ...module_utils._core.ports import Good, Revoked
from ...module_utils._core.revoking import PublishesLists
from .._issuers.facts import facts_of
from .._ledger.nouns import CredentialRevoked
from .._ledger.port import Event, Outcome
from .look import revoked_among

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from .._ledger.port import Batch
    from .._older_lists import Records
    from .by_key import Key
    from .decide import Found

SLICE = 50
Answer = Revoked | KeysteadError
ELSEWHERE = "it was revoked elsewhere, and its issuer says when and why"
UNSURE = "it was revoked before, by whom only the ledger can tell, and its issuer says when and why"
CUT_OFF = "a run that was cut off revoked it, and could not write that down"


class Run(t.NamedTuple):
    """What acting needs.

    `batch` returns that of a host and a store, `host` is that of certificates which no identity has, `reasons` are
    those of the steps by fingerprint. With `key`, issuers are shown that.
    """

    host: str
    ledger: Records
    batch: Callable[[str, str], Batch]
    reason: str
    reasons: Mapping[str, str]
    say: Callable[[str], None]
    key: Key | None = None


def act(found: Sequence[Found], run: Run) -> dict[str, Answer]:
    """Revoke what is to be revoked, record what was revoked before; return the answers by fingerprint."""
    answers = {**_taken_over(found, run), **_restored(found, run)}
    doomed = [one for one in found if one.to_revoke]
    total, done = len(doomed), 0
    for mine in _by_issuer(doomed):
        gone: KeysteadError | None = None
        for start in range(0, len(mine), SLICE):
            part = mine[start : start + SLICE]
            last = start + SLICE >= len(mine)
            told = dict.fromkeys(map(_print, part), gone) if gone else _revoked(part, run, last=last)
            gone = gone or _gone(list(told.values())[-2:])
            answers.update(told)
            done += sum(isinstance(one, Revoked) for one in told.values())
            if total > SLICE:
                run.say(f"{done} of {total} certificates revoked")
    return answers


def _gone(last: Sequence[Answer]) -> KeysteadError | None:
    """Return why an issuer is not asked again: it did not answer twice in a row."""
    errors = [one for one in last if isinstance(one, Unavailable)]
    return errors[-1] if errors and len(errors) == len(last) else None


def _taken_over(found: Sequence[Found], run: Run) -> dict[str, Answer]:
    """Record what its issuer calls revoked; where a run of ours was cut off, its list is published first."""
    answers: dict[str, Answer] = {}
    for mine in _by_issuer([one for one in found if one.to_record]):
        error = _published(mine[0].issuer) if any(one.begun or one.unsure for one in mine) else None
        for why, group in itertools.groupby(sorted(mine, key=_known_why), key=_known_why):
            part = list(group)
            told = {_print(one): error or one.revoked for one in part if one.revoked}
            _record(run, part, told, why)
            answers.update({key: answer for key, answer in told.items() if isinstance(answer, KeysteadError)})
    return answers


def _known_why(found: Found) -> str:
    return CUT_OFF if found.begun else UNSURE if found.unsure else ELSEWHERE


def _restored(found: Sequence[Found], run: Run) -> dict[str, Answer]:
    """Have lists tell again of what they lost."""
    answers: dict[str, Answer] = {}
    for mine in _by_issuer([one for one in found if one.lost]):
        for batch, outcomes in _batches(mine, run, lambda one: Event("revoke", _why(one, run), "pending")):
            run.ledger.record(batch, outcomes)
        error: KeysteadError | None = None
        try:
            mine[0].issuer.restore([one.revocation for one in mine])
        except KeysteadError as failed:
            error = failed
        told: dict[str, Answer] = {_print(one): error or one.revoked for one in mine if one.revoked}
        _record(run, mine, told, None)
        answers.update(told)
    return answers


def _by_issuer(found: Sequence[Found]) -> Iterator[list[Found]]:
    ordered = sorted(found, key=_order)
    return (list(group) for _issuer, group in itertools.groupby(ordered, key=lambda one: str(one.issuer.id)))


def _order(found: Found) -> tuple[str, str, str, str]:
    """Sort by issuer, and then so that a slice is about few hosts."""
    holder = found.target.holders[0] if found.target.holders else None
    return str(found.issuer.id), holder.host if holder else "", holder.store if holder else "", _print(found)


def _print(found: Found) -> str:
    return found.target.kept.fingerprint


def _revoked(part: Sequence[Found], run: Run, *, last: bool) -> dict[str, Answer]:
    """Revoke one slice; with the last one of an issuer its list is published, before that slice counts as done."""
    for batch, outcomes in _batches(part, run, lambda one: Event("revoke", _why(one, run), "pending")):
        run.ledger.record(batch, outcomes)
    started = time.monotonic()
    answers = _told(part, run)
    error = _published(part[0].issuer) if last else None
    seconds = (time.monotonic() - started) / len(part)
    told = {_print(one): error or answer for one, answer in zip(part, answers, strict=True)}
    _record(run, part, told, None, seconds)
    return told


def _told(part: Sequence[Found], run: Run) -> list[Answer]:
    issuer = part[0].issuer
    doomed = [one.target.kept.certificate for one in part]
    try:
        answers: list[Answer] = run.key.revoke(part) if run.key else issuer.revoke(doomed, run.reason)
    except KeysteadError as error:
        return [error] * len(part)
    facts = facts_of(issuer.id)
    if not facts.tells_status or facts.tells_status_later:
        return answers
    known = revoked_among(issuer, part) or frozenset()
    pairs = zip(part, answers, strict=True)
    return [answer if _print(one) in known else _verified(one, answer) for one, answer in pairs]


def _verified(found: Found, answer: Answer) -> Answer:
    """Look whether its issuer says that a certificate is revoked."""
    if isinstance(answer, KeysteadError):
        return answer
    try:
        status = found.issuer.status(found.target.kept.certificate)
    except KeysteadError as error:
        return error
    if isinstance(status, Revoked):
        return status
    said = "good" if isinstance(status, Good) else "unknown"
    return NotConverged(f"{found.issuer.id}: it revoked {found.target.called}, and still calls it {said}; run again")


def _published(issuer: t.Any) -> KeysteadError | None:
    """Have an issuer publish its list now, where it does so at times of its own."""
    if not isinstance(issuer, PublishesLists):
        return None
    try:
        issuer.publish_list()
    except KeysteadError as error:
        return error
    return None


def _record(
    run: Run, part: Sequence[Found], answers: Mapping[str, Answer], reason: str | None, seconds: float = 0.0
) -> None:
    """Write down what came of a slice."""

    def event(one: Found) -> Event:
        answer, why = answers[_print(one)], reason or _why(one, run)
        failed = isinstance(answer, KeysteadError)
        return Event("revoke", why, "failed" if failed else "ok", str(answer) if failed else "", seconds)

    changes = {
        key: _change(one, answer)
        for one in part
        for key, answer in [(_print(one), answers[_print(one)])]
        if isinstance(answer, Revoked)
    }
    for batch, outcomes in _batches(part, run, event, changes):
        run.ledger.record(batch, outcomes)


def _why(found: Found, run: Run) -> str:
    return run.reasons[_print(found)]


def _change(found: Found, answer: Revoked) -> CredentialRevoked:
    kept = found.target.kept
    who = kept.issuer_id or str(found.issuer.id)
    told_before = found.unlisted or kept.revoked is not None
    return CredentialRevoked(
        kept.fingerprint, kept.public_id, kept.serial_number, who, kept.not_after, answer.reason, answer.when,
        told_before,
    )  # fmt: skip


def _batches(
    part: Sequence[Found],
    run: Run,
    event: Callable[[Found], Event],
    changes: Mapping[str, CredentialRevoked] | None = None,
) -> Iterator[tuple[Batch, list[Outcome]]]:
    """Yield what is told the ledger, by host and store; the first outcome of a certificate has its change."""
    by_place: dict[tuple[str, str], list[Outcome]] = {}
    for one in part:
        change = (changes or {}).get(_print(one))
        places = [(holder.host, holder.store, holder.identity, holder.number) for holder in one.target.holders]
        for host, store, name, number in places or [(run.host, str(one.issuer.id), one.name, None)]:
            outcome = Outcome(name, number, (event(one),), (change,) if change else ())
            by_place.setdefault((host, store), []).append(outcome)
            change = None
    for (host, store), outcomes in by_place.items():
        yield run.batch(host, store), outcomes
