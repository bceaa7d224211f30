# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Makes a generation of a pair that was there before, in two rounds of phase `install`: written, then published.

The originals are not touched here: links may take their place later, when the generation is current.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace
from functools import partial

from .._core.errors import Denied
from .._core.keys import from_pem
from .directories import open_subdirectory
from .layout import ADOPTING, FILE_OF, STAGING_MODE
from .originals import pair_of
from .publish import write_into
from .safe_files import create_file, remove_tree, rename

if t.TYPE_CHECKING:
    from .._core.model import Step
    from .job import Job
    from .originals import Pair
    from .place import Place


def write(job: Job) -> None:
    """Copy the pair into `adopting/`, if it still is the one that the controller recorded, and verify the copy."""
    place, step = job.place, _step(job)
    if place is None or step is None or job.wanted.adopt is None:
        return
    pair = pair_of(job.wanted.adopt)
    if pair is None or pair.credential.credential_id != job.original:
        path = job.wanted.adopt.certificate
        raise Denied(f"host: {path} changed since it was looked at; nothing was adopted, run again")
    if int(step.about) in place.numbers():
        raise Denied(f"host: generation {step.about} of {place.name} is there already; nothing was adopted, run again")
    _stage(place, pair)
    whole = replace(job, number=int(step.about), parts=pair.parts(), done=[])
    write_into(whole, place, ADOPTING, partial(from_pem, pair.key))


def publish(job: Job) -> None:
    """Let `current` name the number first: the rename that gives it to the copy is what publishes."""
    place, step = job.place, _step(job)
    if place is not None and step is not None:
        job.attempt(step, partial(_publish, place, int(step.about)))


def _publish(place: Place, number: int) -> None:
    place.point_to(number)
    rename(place.fd, ADOPTING, str(number))


def _stage(place: Place, pair: Pair) -> None:
    remove_tree(place.fd, ADOPTING)
    directory = open_subdirectory(place.fd, ADOPTING, create_mode=STAGING_MODE)
    if directory is not None:
        try:
            create_file(directory, FILE_OF["private_key"], pair.key, mode=0o600)
        finally:
            os.close(directory)


def _step(job: Job) -> Step | None:
    return next(iter(job.of("adopt")), None)
