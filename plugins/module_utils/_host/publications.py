# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The copies of an identity on its host: seen, written when a generation has become current, withdrawn."""

from __future__ import annotations

import os
import typing as t
from functools import partial

from .._core.errors import Misconfigured
from .._core.publication import Publication
from .._publishers.registry import PUBLISHERS
from .copy_file import CopyFile, Owner
from .copy_record import COPIES, CopyRecord
from .layout import FILE_OF
from .links import bytes_at
from .ownership import check_may_give
from .safe_files import read_file

if t.TYPE_CHECKING:
    from .._core.model import Identity, Known
    from .._core.ports import Publisher
    from .job import Job
    from .place import Place

Contents = t.Mapping[str, bytes]


def look(record: CopyRecord, store: str, wanted: Identity, known: Known, contents: Contents) -> dict[str, t.Any]:
    """Return `copies` and `stale_copies` of what was observed; `contents` are the files of the current generation.

    Only what the controller named is told to it: what it does not know stays until the identity goes (C3).
    """
    found: dict[str, t.Any] = {}
    if wanted.state == "present":
        for one in wanted.publish:
            check_may_give(one.owner, one.group)
        copies = ((one, _publisher(one, store, wanted, record)) for one in wanted.publish)
        found["copies"] = tuple(publisher.read(_parts(one, contents)) for one, publisher in copies)
    if wanted.state in ("present", "absent"):
        declared = {one.path for one in wanted.publish}
        kept, named = (declared if wanted.state == "present" else set()), declared.union(known.links)
        found["stale_copies"] = tuple(path for path in record.paths() if path in named and path not in kept)
    return found


def write(job: Job, place: Place) -> None:
    """Do the steps that are about copies: each file gets what the current generation holds."""
    declared = {one.path: one for one in job.wanted.publish}
    record = CopyRecord(place)
    for step in job.copies():
        publication = declared.get(step.about)
        if publication is not None:
            job.attempt(step, partial(_write, publication, place, job.wanted, record))


def restore(place: Place, wanted: Identity) -> None:
    """Put the copies back to the generation that is current again (W4)."""
    record = CopyRecord(place)
    contents = current_contents(place)
    for publication in wanted.publish:
        parts = _parts(publication, contents)
        publisher = _publisher(publication, place.store, wanted, record)
        if parts is not None and publisher.read(parts).state != "ok":
            publisher.write(parts)


def withdraw(place: Place, path: str | None = None) -> None:
    """Remove the file at a path, or all files, if they still hold what was written."""
    if not place.has(COPIES):
        return
    record = CopyRecord(place)
    for one in record.paths():
        if path in (None, one):
            CopyFile(Publication(one, ""), _Nothing(), Owner(place.store, place.name, replaces=False), record).delete()


def holds_the_key(place: Place) -> bool:
    """Tell whether a file that we wrote, and that stays when the identity is released, has the private key."""
    record = CopyRecord(place)
    return any("private_key" in record.parts(path) and record.holds(path, bytes_at(path)) for path in record.paths())


def current_contents(place: Place) -> Contents:
    """Return the files of the current generation."""
    directory = place.open_generation(str(place.current()))
    if directory is None:
        return {}
    try:
        read = {name: read_file(directory, name) for name in FILE_OF.values()}
    finally:
        os.close(directory)
    return {name: content for name, content in read.items() if content is not None}


def _write(publication: Publication, place: Place, wanted: Identity, record: CopyRecord) -> None:
    parts = _parts(publication, current_contents(place))
    if parts is None:
        raise Misconfigured(f"host: the generation for {publication.path} vanished; run again")
    _publisher(publication, place.store, wanted, record).write(parts)


def _publisher(publication: Publication, store: str, wanted: Identity, record: CopyRecord) -> Publisher:
    owner = Owner(store, wanted.name, wanted.files.replace_files)
    return CopyFile(publication, PUBLISHERS[publication.publisher](publication, wanted.name), owner, record)


def _parts(publication: Publication, contents: Contents) -> Contents | None:
    """Return the parts of a generation that a file gets, in their order; None where one is not there."""
    found = {part: contents.get(FILE_OF[part]) for part in publication.parts}
    return None if None in found.values() else t.cast("Contents", found)


class _Nothing:
    """The form of a file that is only taken away."""

    def content(self, _parts: Contents) -> bytes:
        return b""

    def difference(self, _content: bytes, _parts: Contents) -> tuple[str, str]:
        return "", ""
