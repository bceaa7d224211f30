# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Activation, proof and rollback for all identities of a host together (rule W4)."""

from __future__ import annotations

import os
import time
import typing as t

from .._core import pki
from .._core.model import Activation, Identity, Step
from .activation import activate
from .layout import FILE_OF, current_path
from .place import Unproved
from .proof import Target, prove
from .recovery import destroy_generation
from .safe_files import read_file

if t.TYPE_CHECKING:
    from .job import Job
    from .place import Place


def settle(jobs: t.Sequence[Job]) -> None:
    """Activate each consumer once, prove all at the same time, and roll back what failed, with all that shares it."""
    groups: dict[Activation | str, list[Job]] = {}
    for job in jobs:
        if job.of("activate") or job.of("prove"):
            groups.setdefault(job.wanted.activate or job.wanted.name, []).append(job)
    to_prove: list[Job] = []
    for activation, members in groups.items():
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
    targets = [target_of(job.place, job.wanted) for job in jobs if job.place]
    verdicts = prove([target for target in targets if target])
    for job in jobs:
        verdict = verdicts.get(job.wanted.name, "there is no generation to prove")
        for step in job.of("prove"):
            job.record(step, started, None if verdict == "ok" else verdict)


def _roll_back(activation: Activation | None, members: t.Sequence[Job]) -> None:
    """Point every member back to what stood before, tell the consumer once, and destroy what failed."""
    failed = next(job for job in members if job.error)
    returned: list[tuple[Job, int]] = []
    for job in members:
        unproved = job.place.unproved() if job.place else None
        if job.place and unproved and unproved.before is not None and job.place.is_complete(unproved.before):
            job.place.point_to(unproved.before)
            job.place.note(Unproved(unproved.before, fresh=False))
            returned.append((job, unproved.generation if unproved.fresh else 0))
            why = "activation or proof failed" if job is failed else f"it shares a consumer with {failed.wanted.name}"
            job.record(Step("roll_back", f"back to generation {unproved.before}: {why}"), time.monotonic())
            job.error = f"{job.error or failed.error}; rolled back to generation {unproved.before}"
    if not returned:
        return
    again = activate(activation, activation.timeout) if activation else None
    for job, number in returned:
        if again is not None and again.outcome == "failed":
            job.error = f"{job.error}, which could not be activated either: {again.message}"
            continue
        if job.place is not None:
            job.place.completed()
            if number:
                destroy_generation(job.place, number)


def target_of(place: Place, wanted: Identity) -> Target | None:
    """Describe what the consumer must be seen to use: the current generation."""
    directory = place.open_generation(str(place.current()))
    if directory is None or wanted.prove is None:
        return None
    try:
        certificate = pki.der_certificates(read_file(directory, FILE_OF["certificate"]) or b"")[0]
        roots = read_file(directory, FILE_OF["roots"]) or b""
    except ValueError:
        return None
    finally:
        os.close(directory)
    return Target(
        name=wanted.name,
        proof=wanted.prove,
        subject=wanted.subject,
        certificate=certificate,
        public_id=pki.credential(certificate).public_id,
        roots=roots,
        client_certificate=current_path(place.store, wanted.name, "fullchain"),
        client_key=current_path(place.store, wanted.name, "private_key"),
    )
