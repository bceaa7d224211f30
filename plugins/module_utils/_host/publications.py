# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The copies of an identity on its host: seen, written when a generation has become current, withdrawn."""

from __future__ import annotations

import os
import typing as t
from functools import partial

from .._core.errors import KeysteadError, Misconfigured
from .._core.publication import Publication
from .._publishers.registry import PUBLISHERS
from .copy_before import remember
from .copy_file import CopyFile, Owner
from .copy_record import COPIES, CopyRecord
from .layout import FILE_OF
from .links import bytes_at
from .ownership import check_may_give
from .safe_files import read_file
from .store import MARKER

if t.TYPE_CHECKING:
    from .._core.model import Identity
    from .._core.ports import Publisher
    from .job import Job
    from .place import Place

Contents = t.Mapping[str, bytes]
Siblings = t.Mapping[str, "Identity"]


def look(
    record: CopyRecord, store: str, wanted: Identity, contents: Contents, siblings: Siblings
) -> dict[str, t.Any]:
    """Return `copies`, `stale_copies` and `kept_copies` of what was observed.

    `contents` are the files of the current generation. What is stale is known here alone: a run that failed or was
    killed may have written what no ledger heard of.
    """
    found: dict[str, t.Any] = {}
    if wanted.state == "present":
        for one in wanted.publish:
            check_may_give(one.owner, one.group)
            _refuse_stores(one.path, wanted.name)
        copies = ((one, _publisher(one, (store, siblings), wanted, record)) for one in wanted.publish)
        found["copies"] = tuple(publisher.read(_parts(one, contents)) for one, publisher in copies)
    if wanted.state in ("present", "absent"):
        kept = {one.path for one in wanted.publish} if wanted.state == "present" else set()
        found["stale_copies"] = tuple(path for path in record.paths() if path not in kept)
        found["kept_copies"] = tuple(path for path in found["stale_copies"] if _stays_with_its_key(record, path))
    return found


def _refuse_stores(path: str, name: str) -> None:
    """Refuse a file inside a store, whoever's: everything there is its owner's."""
    above = path
    while above != "/":
        above = os.path.dirname(above)
        if os.path.lexists(os.path.join(above, MARKER)):
            raise Misconfigured(
                f"host: {path} lies in the store {above}, where nobody else writes; choose another path for {name}"
            )


def _stays_with_its_key(record: CopyRecord, path: str) -> bool:
    """Tell whether a file that we wrote, and that others changed since, may still hold the private key."""
    if "private_key" not in record.parts(path) or not record.is_whole(path):
        return False
    content = bytes_at(path)
    return content is not None and not record.holds(path, content)


def write(job: Job, place: Place, siblings: Siblings) -> None:
    """Do the steps that are about copies: each file gets what the current generation holds.

    What stood there before is kept with the job.
    """
    declared = {one.path: one for one in job.wanted.publish}
    record = CopyRecord(place)
    for step in job.copies():
        publication = declared.get(step.about)
        if publication is not None:
            job.attempt(step, partial(_write, publication, job, place, record, siblings))


def restore(job: Job, place: Place) -> None:
    """Put back what stood in the place of each copy before this run (W4).

    Only what a killed run wrote of the generation that was given up is written anew: what was before, nobody knows.
    """
    record = CopyRecord(place)
    failed: KeysteadError | None = None
    for before in job.before.values():
        try:
            before.put_back(record)
        except KeysteadError as error:  # the others go back all the same
            failed = failed or error
    if failed:
        raise failed
    contents, wanted = current_contents(place), job.wanted
    for publication in wanted.publish:
        parts = _parts(publication, contents)
        if parts is not None and record.is_whole(publication.path):
            publisher = _publisher(publication, (place.store, {}), wanted, record)
            if publisher.read(parts).state in ("certificate", "key"):
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


def _write(publication: Publication, job: Job, place: Place, record: CopyRecord, siblings: Siblings) -> None:
    parts = _parts(publication, current_contents(place))
    if parts is None:
        raise Misconfigured(f"host: the generation for {publication.path} vanished; run again")
    publisher = _publisher(publication, (place.store, siblings), job.wanted, record)
    publisher.read(parts)  # what may not be replaced is not read either
    job.before.setdefault(publication.path, remember(publication.path, record))
    publisher.write(parts)


def _publisher(
    publication: Publication, there: tuple[str, Siblings], wanted: Identity, record: CopyRecord
) -> Publisher:
    store, siblings = there
    owner = Owner(store, wanted.name, wanted.files.replace_files, siblings)
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
