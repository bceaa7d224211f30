# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `preflight`: whether this host could hold identities. Nothing here writes."""

from __future__ import annotations

import os
import platform
import re
import sys
import typing as t
from functools import partial

from .._core.errors import KeysteadError
from .._enrol.registry import PROGRAMS
from .directories import find_directory
from .ownership import user_name
from .store import open_store

if t.TYPE_CHECKING:
    from .request import Request

Check = t.Dict[str, str]
LEAST_OPENSSL = (1, 1, 1)
"""The first one that has Ed25519."""


def look(request: Request) -> list[Check]:
    """Return what each check found; `state` is ok, warning or failed."""
    spoken = [name for name in request.errand.get("protocols", ()) if name in PROGRAMS]
    programs: list[tuple[str, t.Callable[[Request], Check]]] = [(name, partial(_program, name)) for name in spoken]
    return [_told(name, check, request) for name, check in (*CHECKS, *programs)]


def _told(name: str, check: t.Callable[[Request], Check], request: Request) -> Check:
    """Return what a check found; an error is `found`, and its remedy follows the first semicolon."""
    try:
        return {"name": name, **check(request)}
    except KeysteadError as error:
        found, _semicolon, remedy = str(error).partition("; ")
        return {"name": name, "state": "failed", "found": found, "remedy": remedy}


def _python(_request: Request) -> Check:
    """Say which versions these are; where one is missing or too old, nothing comes as far as this."""
    import cryptography

    found = f"{sys.executable} {platform.python_version()}, cryptography {cryptography.__version__}"
    return {"state": "ok", "found": found}


def _openssl(_request: Request) -> Check:
    """Say which OpenSSL does the work of cryptography."""
    from cryptography.hazmat.backends.openssl.backend import backend

    return judged_openssl(backend.openssl_version_text())


def judged_openssl(text: str) -> Check:
    """Judge a version by its text; another library than OpenSSL counts by its own numbers, and is not judged."""
    said = re.search(r"\d+(\.\d+)+", text)
    if text.startswith("OpenSSL") and said and tuple(map(int, said.group().split("."))) < LEAST_OPENSSL:
        least = ".".join(map(str, LEAST_OPENSSL))
        remedy = "install a newer cryptography for this Python, which brings its own OpenSSL, or a newer system"
        return {"state": "failed", "found": f"{text}, at least {least} is needed", "remedy": remedy}
    return {"state": "ok", "found": text}


def _store(request: Request) -> Check:
    """Look at the store as a run would that makes it: who owns it, who else may write above it, and whether we may."""
    fd, path = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=False), request.store
    exists = fd is not None
    while fd is None:
        path = os.path.dirname(path)
        fd = find_directory(path)
    os.close(fd)
    who = user_name(os.geteuid())
    if os.access(path, os.W_OK | os.X_OK):
        below = f"going by rights, {request.store} can be made below {path}"
        found = f"{request.store} may be written" if exists else below
        return {"state": "ok", "found": f"{found} by user {who}"}
    return {
        "state": "failed",
        "found": f"user {who} may not write in {path}",
        "remedy": "use become: true, or set option store to a directory of this user",
    }


def _program(protocol: str, _request: Request) -> Check:
    """Say where the program is that speaks a protocol of enrolment."""
    return {"state": "ok", "found": f"{PROGRAMS[protocol]()} is there"}


CHECKS = (("python", _python), ("openssl", _openssl), ("store", _store))
