# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `install`: publish, link, activate, prove, roll back where that fails, clear up, and look again."""

from __future__ import annotations

import os
import typing as t
from functools import partial

from .._core import wire
from .._core.errors import KeysteadError
from .._core.model import Step
from .._keystores.registry import keystore
from . import lease
from .copy_record import COPIES, CopyRecord
from .durability import together
from .job import Job
from .layout import CHALLENGES
from .links import make_link, remove_link
from .observe import observe
from .place import Unproved, open_place
from .publish import number, publish, publish_in_place, write
from .recovery import destroy_generation, destroy_identity, discard_unfinished
from .release import release_identity
from .request import Request, failed
from .safe_files import facts, remove_tree
from .store import open_store

if t.TYPE_CHECKING:
    from .._core.model import Identity, Known
    from .place import Place


def install(request: Request) -> list[dict[str, t.Any]]:
    """Do the steps for every identity, and return `done`, `observed` and `error` of each; none stops its siblings."""
    store_fd = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=False)
    jobs: list[Job] = []
    answers: dict[str, dict[str, t.Any]] = {}
    try:
        for wanted, known, entry in request.identities():
            try:
                jobs.append(_job(request, store_fd, wanted, known, entry))
            except KeysteadError as error:
                answers[wanted.name] = failed(wanted.name, error)
        for job in jobs:
            _change_in_place(job)
        siblings = {job.wanted.name: job.wanted for job in jobs}
        parts: tuple[t.Callable[[Job], object], ...] = (write, number, _publish, _link, partial(_copy, siblings))
        for part in (*_adopting(jobs), *parts):
            _for_all([job for job in jobs if not job.error], part)
        _settle([job for job in jobs if job.place and (job.before or not job.error)])
        if store_fd is not None and facts(store_fd, CHALLENGES) is not None:
            _stop_showing(store_fd, jobs)
        _for_all(jobs, partial(_clear_up, request, store_fd))
        for job in jobs:
            answers[job.wanted.name] = _answer(request, job, store_fd, siblings)
    finally:
        for descriptor in (store_fd, *(job.place.fd for job in jobs if job.place)):
            if descriptor is not None:
                os.close(descriptor)
    return [answers[wanted.name] for wanted, _known, _entry in request.identities()]


def _stop_showing(store_fd: int, jobs: t.Sequence[Job]) -> None:
    """Take away what an issuer wanted to see, but where it is not done with looking."""
    from .respond import withdraw

    over = [job for job in jobs if not job.waiting]
    if over:
        over[0].guard(partial(withdraw, store_fd, [job.wanted.name for job in over]))


def _job(request: Request, store_fd: int | None, wanted: Identity, known: Known, entry: dict[str, t.Any]) -> Job:
    place = None if store_fd is None else open_place(request.store, store_fd, wanted.name)
    if place is not None:
        try:
            lease.held(place.fd, entry["lease"], request.now.timestamp())
        except KeysteadError:
            os.close(place.fd)
            raise
    return Job(
        wanted=wanted,
        known=known,
        place=place,
        steps=tuple(wire.unpack(Step, step) for step in entry["steps"]),
        lease=entry.get("lease"),
        number=entry.get("number"),
        issuer_id=entry.get("issuer_id") or "",
        parts={name: content.encode() for name, content in (entry.get("parts") or {}).items()},
        original=entry.get("original"),
        key_uri=entry.get("key_uri"),
        public_id=entry.get("public_id"),
        private_key=request.secrets.get(wanted.name, {}).get("private_key", "").encode(),
        waiting=bool(entry.get("waiting")),
    )


def _for_all(jobs: t.Sequence[Job], work: t.Callable[[Job], object]) -> None:
    """Do one part of the work for every identity, and let all of it reach the disk before the next part begins."""
    try:
        with together():
            for job in jobs:
                job.guard(partial(work, job))
    except KeysteadError as error:
        for job in jobs:
            job.error = job.error or str(error)


def _adopting(jobs: t.Sequence[Job]) -> tuple[t.Callable[[Job], object], ...]:
    """Return what makes generations of pairs that were there before, where that is asked for."""
    if not any(job.original for job in jobs):
        return ()
    from . import adopt

    return adopt.write, adopt.publish


def _change_in_place(job: Job) -> None:
    """Do what is not a new generation, each step on the disk before the next."""
    place = job.place
    if place is None or job.number is not None:
        return
    for step in job.of("publish")[:1]:
        job.attempt(step, partial(publish_in_place, job, place))
    if not job.error and (job.of("activate") or job.of("prove")):
        job.guard(partial(_note_pending, place))


def _publish(job: Job) -> None:
    place = job.place
    if job.number is not None and place is not None:
        for step in job.of("publish")[:1]:
            job.attempt(step, partial(publish, job, place))


def _link(job: Job) -> None:
    place = job.place
    if place is None:
        return
    parts = {link.path: link.part for link in job.wanted.files.links}
    for step in job.of("link"):
        job.attempt(step, partial(make_link, place.store, place.name, step.about, parts[step.about], job.wanted.kind))


def _copy(siblings: t.Mapping[str, Identity], job: Job) -> None:
    if job.place is not None and job.copies():
        from . import publications

        publications.write(job, job.place, siblings)


def _withdraw(request: Request, job: Job, path: str) -> None:
    """Take a copy away, or a link: where there was a copy, a link may have come in its place in this run."""
    if job.place is not None and path in CopyRecord(job.place).paths():
        from . import publications

        publications.withdraw(job.place, path)
    else:
        remove_link(request.store, job.wanted.name, path)


def _settle(jobs: t.Sequence[Job]) -> None:
    if any(job.of("activate") or job.of("prove") or job.error for job in jobs):
        from . import consumers

        consumers.settle(jobs)


def _note_pending(place: Place) -> None:
    """Let the next run tell the consumer, should this one not come to it."""
    current = place.current()
    if current is not None and place.unproved() is None:
        place.note(Unproved(current, fresh=False))


def _clear_up(request: Request, store_fd: int | None, job: Job) -> None:
    """Take away what is superseded, stale or to go, then give the lease back."""
    place = job.place
    for step in job.of("withdraw"):
        job.attempt(step, partial(_withdraw, request, job, step.about))
    if place is None or store_fd is None:
        return
    if not job.steps:  # the controller gave it up: what an earlier run left pending stays so
        lease.release(place.fd, job.lease or "")
        return
    if job.wanted.state == "released":
        release_identity(job, place)
    for step in job.of("destroy"):
        job.attempt(step, partial(_destroy, job, place, step))
    if not job.error:
        place.completed()
    gone = job.wanted.state != "present" and not job.error
    if job.lease:
        lease.release(place.fd, job.lease)
    if gone:
        remove_tree(store_fd, place.name)


def _destroy(job: Job, place: Place, step: Step) -> None:
    if job.wanted.state == "absent":
        if place.has(COPIES):
            from . import publications

            publications.withdraw(place)
        destroy_identity(place)
    else:
        discard_unfinished(place)
        if step.about and int(step.about) != place.current():
            destroy_generation(place, int(step.about))
    if job.wanted.key.token:
        keystore(place, job.wanted.key).delete()


def _answer(
    request: Request, job: Job, store_fd: int | None, siblings: t.Mapping[str, Identity]
) -> dict[str, t.Any]:
    answer: dict[str, t.Any] = {"name": job.wanted.name, "done": [wire.pack(done) for done in job.done]}
    place = None if store_fd is None else open_place(request.store, store_fd, job.wanted.name)
    try:
        found = observe(place, request.store, job.wanted, job.known, siblings)
        answer["observed"] = wire.pack(found)
    except KeysteadError as error:
        job.error = job.error or str(error)
    finally:
        if place is not None:
            os.close(place.fd)
    if job.error:
        answer["error"] = {"kind": "NotConverged", "message": job.error}
    return answer
