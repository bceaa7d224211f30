# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Gives an identity back: its links become plain files, and the store forgets it (`state: released`)."""

from __future__ import annotations

import os
import stat
import typing as t
from functools import partial

from .._core.errors import Misconfigured
from .layout import FILE_OF, PART_OF
from .links import bytes_at, file_behind, make_plain, part_behind
from .recovery import destroy_identity
from .safe_files import read_file

if t.TYPE_CHECKING:
    from .._core.model import Identity, Known
    from .job import Job
    from .place import Place

WITH_KEY = ("private_key", "combined")


def release_identity(job: Job, place: Place) -> None:
    """Do the steps `release`: first every link, then the directory, so that a killed run can be repeated."""
    steps = job.of("release")
    links = [step for step in steps if step.about]
    files = {step.about: file_behind(place.store, place.name, step.about) for step in links}
    for step in steps:
        if step.about:
            job.attempt(step, partial(_make_plain, place, step.about, files[step.about]))
        else:
            job.attempt(step, partial(destroy_identity, place))


def refuse_losing_the_key(place: Place, wanted: Identity, known: Known) -> None:
    """Refuse to release an identity whose key no link leads to, and no file that a cut-off run put there has."""
    paths = dict.fromkeys((*known.links, *(link.path for link in wanted.files.links)))
    if not any(_holds_the_key(place, path) for path in paths):
        from .publications import holds_the_key

        if holds_the_key(place):
            return
        raise Misconfigured(
            f"host: identities[{wanted.name}].state: no link leads to the private key, so releasing would destroy it; "
            "add a link for private_key or combined first, or say state: absent"
        )


def _holds_the_key(place: Place, path: str) -> bool:
    if part_behind(place.store, place.name, path) in WITH_KEY:
        return True
    directory = place.open_generation(str(place.current()))
    if directory is None:
        return False
    try:
        keys = [content for part in WITH_KEY if (content := read_file(directory, FILE_OF[part]))]
    finally:
        os.close(directory)
    return bytes_at(path) in keys


def _make_plain(place: Place, path: str, name: str | None) -> None:
    directory = place.open_generation(str(place.current()))
    if directory is None or name is None or name not in PART_OF:
        raise Misconfigured(f"host: {path} leads to no generation of {place.name}; remove it and run again")
    try:
        content = read_file(directory, name) or b""
        there = os.stat(name, dir_fd=directory, follow_symlinks=False)
    finally:
        os.close(directory)
    make_plain(path, content, mode=stat.S_IMODE(there.st_mode), uid=there.st_uid, gid=there.st_gid)
