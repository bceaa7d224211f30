# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Activation, proof and rollback for all identities of a host together (rule W4)."""

from __future__ import annotations

import os
import time
import typing as t
from functools import partial

from .._core import credentials
from .._core.errors import KeysteadError
from .._core.model import Activation, Identity, Step
from .activation import activate
from .layout import FILE_OF, FILES_OF, current_path
from .place import Unproved
from .proof import prove
from .recovery import destroy_generation
from .safe_files import read_file
from .target import Target

if t.TYPE_CHECKING:
    from .job import Job
    from .place import Place


def settle(jobs: t.Sequence[Job]) -> None:
    """Activate each consumer once, prove all at the same time, and roll back what failed, with all that shares it."""
    groups: dict[Activation | str, list[Job]] = {}
    for job in jobs:
        if job.of("activate") or job.of("prove") or job.error:
            groups.setdefault(job.wanted.activate or job.wanted.name, []).append(job)
    to_prove: list[Job] = []
    for activation, members in groups.items():
        if any(job.error for job in members):  # a copy of one of them failed: nobody is told of half of it
            continue
        ready = not isinstance(activation, Activation) or _activated(activation, members)
        to_prove += [job for job in members if ready and job.of("prove") and not job.error]
    _prove_all(to_prove)
    for activation, members in groups.items():
        if any(job.error for job in members):
            _roll_back(activation if isinstance(activation, Activation) else None, members)


def _activated(activation: Activation, members: t.Sequence[Job]) -> bool:
    """Run the activation once, note it for every member; False when there is nothing to prove behind it."""
    started = time.monotonic()
    told = [(job, step) for job in members for step in job.of("activate")]
    if not told:
        return True
    result = activate(activation, activation.timeout)
    for job, step in told:
        said = f"{step.reason}; skipped: {result.message}" if result.outcome == "skipped" else step.reason
        error = result.message if result.outcome == "failed" else None
        job.record(Step(step.action, said), started, error)
    return result.outcome == "ok"


def _prove_all(jobs: t.Sequence[Job]) -> None:
    started = time.monotonic()
    targets: list[Target] = []
    for job in jobs:
        job.guard(partial(_aim, job, targets))
    verdicts = prove(targets)
    for job in jobs:
        verdict = job.error or verdicts.get(job.wanted.name, "there is no generation to prove")
        for step in job.of("prove"):
            job.record(step, started, None if verdict == "ok" else verdict)


def _aim(job: Job, targets: list[Target]) -> None:
    target = _target(job.place, job.wanted) if job.place else None
    targets += [target] if target else []


def _roll_back(activation: Activation | None, members: t.Sequence[Job]) -> None:
    """Point every member back to what stood before, destroy what failed, and tell the consumer once."""
    failed = next(job for job in members if job.error)
    first = failed.error
    returned = [job for job in members if _returned(job, failed, first)]
    if not returned:
        return
    again = activate(activation, activation.timeout) if activation else None
    for job in returned:
        if again is not None and again.outcome == "failed":
            job.error = f"{job.error}, which could not be activated either: {again.message}"
        elif job.place is not None:
            job.guard(job.place.completed)


def _returned(job: Job, failed: Job, first: str | None) -> bool:
    """Point one identity back; the record `pending` stays until the consumer was told."""
    place, started = job.place, time.monotonic()
    unproved = place.unproved() if place else None
    if place is None or unproved is None:
        return False
    before = unproved.before
    if before is None and job.before and not unproved.fresh:  # the copies alone are other ones
        before = unproved.generation
    if before is None or not place.is_complete(before):
        return False
    what = "a copy" if job.error and not job.did("activate") and not job.did("prove") else "activation or proof"
    why = f"{what} failed" if job is failed else f"it shares a consumer with {failed.wanted.name}"
    back = f"generation {before}" if before != unproved.generation else "the copies that were there before"
    step = Step("roll_back", f"back to {back}: {why}")
    try:
        place.point_to(before)
        if unproved.fresh:  # before `pending` forgets it: a run that is cut off here must not keep it
            destroy_generation(place, unproved.generation)
        place.note(Unproved(before, fresh=False))
        if job.wanted.publish:
            from .publications import restore

            restore(job, place)
    except KeysteadError as error:
        job.record(step, started, str(error))
        job.error = f"{job.error or first}; it could not be rolled back to {back} as a whole: {error}"
        return place.current() == before
    job.record(step, started)
    job.error = f"{job.error or first}; rolled back to {back}"
    return True


def verdicts(asked: t.Iterable[tuple[Place, Identity]]) -> dict[str, str]:
    """Return what the proof of each identity says: "ok" or a sentence; nothing where there is no generation."""
    targets = (_target(place, wanted) for place, wanted in asked)
    return prove([target for target in targets if target])


def _target(place: Place, wanted: Identity) -> Target | None:
    """Describe what the consumer must be seen to use: the current generation."""
    directory = place.open_generation(str(place.current()))
    if directory is None or wanted.prove is None:
        return None
    try:
        certificate = credentials.encoded(read_file(directory, FILES_OF[wanted.kind]["certificate"]) or b"")
        roots = read_file(directory, FILE_OF["roots"]) or b""
    except ValueError:
        return None
    finally:
        os.close(directory)
    if wanted.kind != "x509":
        public_id = credentials.credential(certificate).public_id
        return Target(wanted.name, wanted.prove, wanted.subject, certificate, public_id, b"", kind=wanted.kind)
    return Target(
        name=wanted.name,
        proof=wanted.prove,
        subject=wanted.subject,
        certificate=certificate,
        public_id=credentials.credential(certificate).public_id,
        roots=roots,
        client_certificate=current_path(place.store, wanted.name, "fullchain"),
        client_key=current_path(place.store, wanted.name, "private_key"),
    )
