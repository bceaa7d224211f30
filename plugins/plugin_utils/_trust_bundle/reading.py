# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The certificates in an entry of `anchors`: PEM, or the path of a file of it on the controller. Nothing is ignored.

A file that is a pipe or a device must not hold us, and one with something else beside certificates is not understood by
who wrote its name: a revocation list, say, would be thought to count.
"""

from __future__ import annotations

import os
import re
import stat
import typing as t
from pathlib import Path

from ...module_utils._core import pki
from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.wire import LARGEST_BINARY
from .words import WHO

OPTION = f"{WHO}: option anchors: "
LARGEST = 4 << 20  # bytes; the store of a distribution has a quarter of a megabyte
_ASKED = "write certificates of authorities, as PEM or by the path of a PEM file on the controller"
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_DER = b"\x30\x82"  # how a certificate begins: a sequence of at least 256 bytes (X.690, 8.1.3)


def content(entry: str, at: str) -> bytes:
    """Return the text of an entry. Raises Misconfigured for a path without one."""
    if "-----BEGIN" in entry:
        return entry.encode("utf-8", "replace")
    relative = "" if entry.startswith(("/", "~")) else f" in {Path.cwd()}, where relative paths begin"
    try:
        found = _read(Path(entry).expanduser())
    except (OSError, ValueError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no path"
        raise Misconfigured(f"{OPTION}{at}: {why}{relative}; {_ASKED}") from None
    if found is None:
        raise Misconfigured(f"{OPTION}{at}: it is no regular file of at most {LARGEST >> 20} MiB; {_ASKED}")
    return found


def certificates(text: bytes, at: str) -> t.Iterator[bytes]:
    """Yield the certificates (DER) of a text. Raises Misconfigured for anything else in it, by its name."""
    labels = [label.decode("ascii") for label in _LABEL.findall(text)]
    others = sorted({label for label in labels if label != "CERTIFICATE"})
    if any(label.endswith("PRIVATE KEY") for label in others):
        raise Misconfigured(f"{OPTION}{at}: it holds a private key, which is nobody's to trust; {_ASKED} alone")
    if "TRUSTED CERTIFICATE" in others:
        raise Misconfigured(f"{OPTION}{at}: it holds a TRUSTED CERTIFICATE; make a CERTIFICATE of it by openssl x509")
    if others:
        raise Misconfigured(f"{OPTION}{at}: it holds {' and '.join(others)}, which does not count here; {_ASKED} alone")
    if text.startswith(_DER):
        raise Misconfigured(f"{OPTION}{at}: it is DER; make PEM of it by openssl x509 -inform der")
    blocks = text.split(pki.PEM_BEGIN)[1:]
    if not blocks:
        raise Misconfigured(f"{OPTION}{at}: it holds no certificate that can be read; {_ASKED}")
    for number, block in enumerate(blocks, start=1):
        which = f"{at}, certificate {number}" if len(blocks) > 1 else at
        try:
            (der,) = pki.der_certificates(pki.PEM_BEGIN + block)
        except ValueError:
            raise Misconfigured(f"{OPTION}{which}: no certificate that can be read; {_ASKED}") from None
        if len(der) > LARGEST_BINARY:
            raise Misconfigured(f"{OPTION}{which}: it has {len(der)} bytes, more than any authority's; leave it out")
        yield der


def _read(path: Path) -> bytes | None:
    """Return a regular file of moderate size; None for anything else. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        return file.read() if stat.S_ISREG(found.st_mode) and found.st_size <= LARGEST else None
