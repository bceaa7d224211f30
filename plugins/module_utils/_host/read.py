# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `read`: what there is, whoever made it and whatever is declared. Nothing here writes or decides."""

from __future__ import annotations

import base64
import os
import re
import typing as t

from .._core import pki, wire
from .._core.errors import KeysteadError, Misconfigured
from .._core.model import Identity, Known
from .directories import find_directory
from .layout import CURRENT, PART_OF
from .observe import observe
from .os_errors import said
from .place import open_place
from .request import Request, failed
from .safe_files import read_file
from .store import read_claim

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
LARGEST_FILE = 4 << 20

Answer = t.Dict[str, t.Any]


def look_around(request: Request) -> Answer:
    """Return `store`, `identities` (those asked for, then `others` of the store) and `paths`, each with its error."""
    asked = {wanted.name: (wanted, known) for wanted, known, _entry in request.identities()}
    store: Answer = {"exists": False}
    store_fd: int | None = None
    try:
        try:
            store_fd = find_directory(request.store)
            store.update(_about(request.store, store_fd))
        except KeysteadError as error:
            store.update(failed("", error))
        if store_fd is not None and request.others:
            asked.update((name, (Identity(name), Known())) for name in _names(store_fd) if name not in asked)
        identities = [_identity(request.store, store_fd, wanted, known) for wanted, known in asked.values()]
    finally:
        if store_fd is not None:
            os.close(store_fd)
    answer = {"store": store, "identities": identities, "paths": [_path(request.store, path) for path in request.paths]}
    return {**answer, "scan": _scan(request)} if request.scan else answer


def _scan(request: Request) -> Answer:
    from .scan import scan

    return scan(request.store, request.scan)


def _about(path: str, fd: int | None) -> Answer:
    if fd is None:
        return {}
    claim = read_claim(fd, path) or {}
    return {"exists": True, "host": claim.get("host"), "ledger": claim.get("ledger")}


def _names(store_fd: int) -> list[str]:
    """Return every directory that an identity could have."""
    with os.scandir(store_fd) as entries:
        directories = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(filter(NAME.fullmatch, directories))


def _identity(store: str, store_fd: int | None, wanted: Identity, known: Known) -> Answer:
    try:
        place = None if store_fd is None else open_place(store, store_fd, wanted.name)
        try:
            found = observe(place, store, wanted, known, {})
        finally:
            if place is not None:
                os.close(place.fd)
    except KeysteadError as error:
        return failed(wanted.name, error)
    return {"name": wanted.name, "observed": wire.pack(found), "exists": place is not None}


def _path(store: str, path: str) -> Answer:
    """Return the first certificate of a PEM file and how many it holds. Links are followed, nothing else comes out."""
    answer: Answer = {"path": path, **_link(store, path)}
    try:
        certificates = _certificates(path)
    except KeysteadError as error:
        answer.update(failed("", error))
    else:
        answer.update(certificate=base64.b64encode(certificates[0]).decode(), certificates=len(certificates))
    return answer


def _certificates(path: str) -> tuple[bytes, ...]:
    directory, name = os.path.split(os.path.realpath(path))
    with said(path):
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        content = read_file(fd, name, LARGEST_FILE)
    finally:
        os.close(fd)
    if content is None:
        raise Misconfigured(f"host: {path} does not exist; write the path of a PEM file")
    try:
        return pki.der_certificates(content)
    except ValueError:
        raise Misconfigured(f"host: {path} holds no certificate in PEM; write the path of one that does") from None


def _link(store: str, path: str) -> Answer:
    """Say which part of which identity a path is a link to, if it is one of ours."""
    try:
        lead = os.readlink(path)
    except OSError:
        return {}
    above, _slash, name = lead.rpartition("/")
    store_of, _slash, rest = above[: -len("/" + CURRENT)].rpartition("/")
    ours = above.endswith("/" + CURRENT) and store_of == store and name in PART_OF
    return {"identity": rest, "part": PART_OF[name]} if ours else {}
