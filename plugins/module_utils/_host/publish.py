# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Writes a generation into `next/`, verifies it there, and makes it current by one rename (rule W3)."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t

from .._core import pki
from .._core.errors import Denied, Misconfigured, Unavailable
from .._core.keys import spki_sha256
from .._keystores.registry import KEYSTORES
from .drift import put_right, wanted_mode
from .layout import DIRECTORY_MODE, FILE_OF, FORMAT, MANIFEST, NEXT, SECRET_FILES, current_path
from .os_errors import said
from .ownership import uid_gid
from .place import Unproved
from .safe_files import create_file, read_file, rename, sync_directory

if t.TYPE_CHECKING:
    from .job import Job
    from .place import Place

KEY = FILE_OF["private_key"]


def write(job: Job) -> None:
    """Write what was issued beside the staged key, where nobody reads."""
    place = job.place
    if job.number is None or place is None:
        return
    if job.number in place.numbers():
        raise Misconfigured(f"host: generation {job.number} of {place.name} is there already; run again")
    write_into(job, place, NEXT, KEYSTORES[job.wanted.key.custody](place).staged)


def write_into(job: Job, place: Place, entry: str, key: t.Callable[[], t.Any]) -> None:
    """Write what belongs to a generation beside the key file that waits in `entry`, and verify it there.

    `key` loads that key.
    """
    written, public_id = _write(job, place, entry, key)
    _verify(place, entry, written, public_id)


def number(job: Job) -> None:
    """Give what was written its number. From here on the record `pending` tells the next run of it."""
    place = job.place
    if job.number is not None and place is not None:
        place.note(Unproved(job.number, place.current()))
        rename(place.fd, NEXT, str(job.number))


def publish(job: Job, place: Place) -> None:
    """Make what was written the current generation; `pending` stays until the consumer is proved (W4)."""
    if job.number is not None:
        place.point_to(job.number)
    KEYSTORES[job.wanted.key.custody](place).promote()


def publish_in_place(job: Job, place: Place) -> None:
    """Put mode and owner of a complete generation right, and make it the current one where it is not."""
    current = place.current()
    number = next((int(step.about) for step in job.of("publish") if step.about), current)
    directory = place.open_generation(str(number))
    if directory is None:
        raise Misconfigured(f"host: generation {number} of {place.name} vanished; run again")
    try:
        put_right(directory, [name for name in os.listdir(directory) if name in FILE_OF.values()], job.wanted.files)
    finally:
        os.close(directory)
    if number is not None and number != current:
        place.note(Unproved(number, current, fresh=False))
        place.point_to(number)


def _write(job: Job, place: Place, entry: str, load: t.Callable[[], t.Any]) -> tuple[dict[str, bytes], str]:
    """Return what was written into `entry`, and which key was staged there."""
    directory = place.open_generation(entry)
    key = None if directory is None else read_file(directory, KEY)
    if directory is None or key is None:
        raise Denied(f"host: {_path(place, entry, KEY)} is gone, the staged key; nothing was installed, run again")
    try:
        files = files_of(job.parts, key, place.store, place.name)
        uid, gid = uid_gid(job.wanted.files.owner, job.wanted.files.group)
        for name, content in files.items():
            mode = wanted_mode(name, job.wanted.files)
            create_file(directory, name, content, mode=mode, uid=uid, gid=gid)
        put_right(directory, [KEY], job.wanted.files)
        staged = load()
        if staged is None:
            where = _path(place, entry, KEY)
            raise Denied(f"host: {where} cannot be read, the staged key; nothing was installed, run again")
        public_id = spki_sha256(staged.public_key())
        manifest = _manifest(job, files, public_id)
        create_file(directory, MANIFEST, manifest, mode=0o644)
        with said(entry, place.fd):
            os.fchmod(directory, DIRECTORY_MODE)
        sync_directory(directory)
    finally:
        os.close(directory)
    return {**files, MANIFEST: manifest}, public_id


def files_of(parts: t.Mapping[str, bytes], key: bytes, store: str, identity: str) -> dict[str, bytes]:
    """Return every file of a generation but the key: what was issued, and what is made of both."""
    files = {FILE_OF[part]: content for part, content in parts.items()}
    files[FILE_OF["combined"]] = key + parts["fullchain"]
    lines = (("ssl_certificate", "fullchain"), ("ssl_certificate_key", "private_key"))
    include = "".join(f"{word} {current_path(store, identity, part)};\n" for word, part in lines)
    files[FILE_OF["nginx_tls"]] = include.encode()
    return files


def _manifest(job: Job, files: t.Mapping[str, bytes], public_id: str) -> bytes:
    """Return generation.json. A file that holds the key has no digest in it: it is compared with the key itself."""
    digests: dict[str, str | None] = {
        name: None if name in SECRET_FILES else hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    record = {
        "format": FORMAT,
        "kind": job.wanted.kind,
        "number": job.number,
        "credential_id": pki.fingerprint(pki.der_certificates(job.parts["certificate"])[0]),
        "public_id": public_id,
        "issuer_id": job.issuer_id,
        "custody": job.wanted.key.custody,
        "key_uri": None,
        "files": {**digests, KEY: None},
    }
    return json.dumps(record, indent=1, sort_keys=True).encode()


def _verify(place: Place, entry: str, written: t.Mapping[str, bytes], public_id: str) -> None:
    """Read back what was written, byte for byte; the certificate must be the key's."""
    directory = place.open_generation(entry)
    if directory is None:
        raise Denied(f"host: {_path(place, entry)} is gone; nothing was installed, run again")
    try:
        for name, content in written.items():
            if read_file(directory, name) != content:
                where = _path(place, entry, name)
                raise Unavailable(f"host: {where} does not hold what was written; look at the disk, then run again")
    finally:
        os.close(directory)
    if pki.credential(pki.der_certificates(written[FILE_OF["certificate"]])[0]).public_id != public_id:
        raise Denied(f"host: the certificate for {place.name} does not fit the staged key; nothing was installed")


def _path(place: Place, *names: str) -> str:
    return "/".join((place.store, place.name, *names))
