# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Writes a generation into `next/`, verifies it there, and makes it current by one rename (rule W3)."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t

from .._core import credentials
from .._core.errors import Denied, Misconfigured, Unavailable
from .._core.keys import spki_sha256
from .._keystores.registry import keystore
from .directories import open_subdirectory
from .drift import put_right, wanted_mode
from .layout import (
    DIRECTORY_MODE,
    FILE_OF,
    FILES_OF,
    FORMAT,
    MANIFEST,
    NEXT,
    PART_OF,
    SECRET_FILES,
    STAGING_MODE,
    current_path,
)
from .os_errors import said
from .ownership import uid_gid
from .pin_source import engine_key
from .place import Unproved
from .safe_files import create_file, read_file, remove_tree, rename, sync_directory

if t.TYPE_CHECKING:
    from .._core.key import Token
    from .job import Job
    from .place import Place

KEY = FILE_OF["private_key"]


class Staged(t.NamedTuple):
    """The staged key: what it is, and either its file's content or what names it elsewhere."""

    public_id: str
    pem: bytes | None = None
    uri: str | None = None


def write(job: Job) -> None:
    """Write what was issued beside the staged key, where nobody reads."""
    place, key = job.place, job.wanted.key
    if job.number is None or place is None:
        return
    if job.number in place.numbers():
        raise Misconfigured(f"host: generation {job.number} of {place.name} is there already; run again")
    if key.comes_down:
        from .._keystores.file import keep

        keep(place, job.private_key)
    if key.custody == "file":
        write_into(job, place, NEXT, keystore(place, key).staged)
        return
    staged = _staged_elsewhere(job, place)
    remove_tree(place.fd, NEXT)
    directory = open_subdirectory(place.fd, NEXT, create_mode=STAGING_MODE)
    if directory is not None:
        os.close(directory)
    _complete(job, place, NEXT, staged)


def write_into(job: Job, place: Place, entry: str, key: t.Callable[[], t.Any]) -> None:
    """Write what belongs to a generation beside the key file that waits in `entry`, and verify it there.

    `key` loads that key.
    """
    directory = place.open_generation(entry)
    pem = None
    if directory is not None:
        try:
            pem = read_file(directory, KEY)
        finally:
            os.close(directory)
    where = _path(place, entry, KEY)
    if pem is None:
        raise Denied(f"host: {where} is gone, the staged key; nothing was installed, run again")
    loaded = key()
    if loaded is None:
        raise Denied(f"host: {where} cannot be read, the staged key; nothing was installed, run again")
    _complete(job, place, entry, Staged(spki_sha256(loaded.public_key()), pem))


def _staged_elsewhere(job: Job, place: Place) -> Staged:
    """Return the staged key of a token; of a custody that only the controller reaches, it says which one that is."""
    if not job.wanted.key.on_host:
        return Staged(job.public_id or "", uri=job.key_uri)
    staged = keystore(place, job.wanted.key).staged()
    if staged is None:
        raise Denied(f"host: the staged key of {place.name} is gone from its token; nothing was installed, run again")
    return Staged(spki_sha256(staged.public_key()), uri=staged.uri)


def _complete(job: Job, place: Place, entry: str, staged: Staged) -> None:
    _verify(place, entry, _write(job, place, entry, staged), staged.public_id)


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
    if job.wanted.key.on_host:
        keystore(place, job.wanted.key).promote()


def publish_in_place(job: Job, place: Place) -> None:
    """Put mode and owner of a complete generation right, and make it the current one where it is not."""
    current = place.current()
    number = next((int(step.about) for step in job.of("publish") if step.about), current)
    directory = place.open_generation(str(number))
    if directory is None:
        raise Misconfigured(f"host: generation {number} of {place.name} vanished; run again")
    try:
        put_right(directory, [name for name in os.listdir(directory) if name in PART_OF], job.wanted.files)
    finally:
        os.close(directory)
    if number is not None and number != current:
        place.note(Unproved(number, current, fresh=False))
        place.point_to(number)


def _write(job: Job, place: Place, entry: str, staged: Staged) -> dict[str, bytes]:
    """Write all files but the key's into `entry`, and return them."""
    directory = place.open_generation(entry)
    if directory is None:
        raise Denied(f"host: {_path(place, entry)} is gone; nothing was installed, run again")
    try:
        files = _files(job, staged, place)
        uid, gid = uid_gid(job.wanted.files.owner, job.wanted.files.group)
        for name, content in files.items():
            mode = wanted_mode(name, job.wanted.files)
            create_file(directory, name, content, mode=mode, uid=uid, gid=gid)
        if staged.pem is not None:
            put_right(directory, [KEY], job.wanted.files)
        manifest = _manifest(job, files, staged)
        create_file(directory, MANIFEST, manifest, mode=0o644)
        with said(entry, place.fd):
            os.fchmod(directory, DIRECTORY_MODE)
        sync_directory(directory)
    finally:
        os.close(directory)
    return {**files, MANIFEST: manifest}


def _files(job: Job, staged: Staged, place: Place) -> dict[str, bytes]:
    if job.wanted.kind == "x509":
        return files_of(job.parts, staged, place.store, place.name, job.wanted.key.token)
    return {FILES_OF[job.wanted.kind][part]: content for part, content in job.parts.items()}


def files_of(
    parts: t.Mapping[str, bytes], staged: Staged, store: str, identity: str, token: Token | None = None
) -> dict[str, bytes]:
    """Return every file of an X.509 generation but the key's: what was issued, and what is made of both."""
    files = {FILE_OF[part]: content for part, content in parts.items()}
    include = None
    if staged.pem is not None:
        files[FILE_OF["combined"]] = staged.pem + parts["fullchain"]
        include = current_path(store, identity, "private_key")
    elif staged.uri is not None:
        files[FILE_OF["key_uri"]] = f"{staged.uri}\n".encode()
        if token:
            include = engine_key(staged.uri, token)
    if include is not None:
        fullchain = current_path(store, identity, "fullchain")
        lines = f"ssl_certificate {fullchain};\nssl_certificate_key {include};\n"
        files[FILE_OF["nginx_tls"]] = lines.encode()
    return files


def _manifest(job: Job, files: t.Mapping[str, bytes], staged: Staged) -> bytes:
    """Return generation.json. A file that holds the key has no digest in it: it is compared with the key itself."""
    digests: dict[str, str | None] = {
        name: None if name in SECRET_FILES else hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    record = {
        "format": FORMAT,
        "kind": job.wanted.kind,
        "number": job.number,
        "credential_id": hashlib.sha256(credentials.encoded(job.parts["certificate"])).hexdigest(),
        "public_id": staged.public_id,
        "issuer_id": job.issuer_id,
        "custody": job.wanted.key.custody,
        "origin": job.wanted.key.origin,
        "key_uri": staged.uri,
        "files": {**digests, **({KEY: None} if staged.pem is not None else {})},
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
    (text,) = (content for name, content in written.items() if PART_OF.get(name) == "certificate")
    if credentials.credential(credentials.encoded(text)).public_id != public_id:
        raise Denied(f"host: the certificate for {place.name} does not fit the staged key; nothing was installed")


def _path(place: Place, *names: str) -> str:
    return "/".join((place.store, place.name, *names))
