# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What Debian's update-ca-certificates needs to be watched for: it appends to one file, whoever else does so too.

A package that is installed meanwhile runs it without our lock, and what a killed one left is appended to.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
import typing as t

from .os_errors import said

_CONFIGURATION, _SHIPPED = "/etc/ca-certificates.conf", "/usr/share/ca-certificates"
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_LARGEST = 1 << 20  # bytes
_BODY = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_WRITTEN_IN = 30.0  # seconds; the tool takes one or two to write its file, and runs its hooks after that


def bodies(content: bytes) -> frozenset[bytes]:
    """Return the certificates (DER) of a file of the system's, whoever wrote what stands between them."""
    import base64

    found = set()
    for body in _BODY.findall(content):
        with contextlib.suppress(ValueError):  # what somebody put there that is none
            found.add(base64.b64decode(b"".join(body.split())))
    return frozenset(found)


def lacking(source: str, bundle: t.AbstractSet[bytes]) -> int:
    """Return how many certificates the tool reads that are not in its bundle: those configured, and all in `source`."""
    there: set[bytes] = set()
    for path in (*_configured(), *_local(source)):
        there |= bodies(_content(path))
    return len(there - bundle)


def wait_for_others(bundle: str) -> None:
    """Wait until no other run of the tool writes its bundle; remove what a killed one left. Raises KeysteadError."""
    half, until = f"{bundle}.new", time.monotonic() + _WRITTEN_IN
    with said(half), contextlib.suppress(FileNotFoundError):
        while time.monotonic() < until and time.time() - os.lstat(half).st_mtime < _WRITTEN_IN:
            time.sleep(0.1)
        os.unlink(half)


def _configured() -> t.Iterator[str]:
    """Yield what is shipped and selected (update-ca-certificates(8)); a line with ! or # selects nothing."""
    for line in _content(_CONFIGURATION).decode("utf-8", "replace").splitlines():
        if line and line[0] not in "!#":
            yield f"{_SHIPPED}/{line}"


def _local(source: str) -> t.Iterator[str]:
    """Yield what stands in the directory itself: the tools of some distributions look no further."""
    for name in os.listdir(source):
        if name.endswith(".crt"):
            yield os.path.join(source, name)


def _content(path: str) -> bytes:
    """Return what is in a file; nothing where the tool reads nothing either."""
    try:
        fd = os.open(path, _READ)
    except OSError:
        return b""
    try:
        return os.read(fd, _LARGEST) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(fd)
