# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Anchors in a file of PEM: whole or not there (W1, W2), and never in the place of somebody else's unseen (W6)."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import typing as t

from .._core import pki
from .._core.errors import Misconfigured
from .._core.trust import TrustErrand, TrustSeen
from .directories import find_directory, open_directory
from .ownership import user_name
from .safe_files import Read, facts, name_of_ours, read_with_facts, remove, write_file

MODE = 0o644
LARGEST = 4 << 20  # bytes; the store of a distribution has a quarter of a megabyte
_HEADER = b"# keystead.identity trust_bundle "
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_CERTIFICATE = "CERTIFICATE"


class BundleFile:
    """One file. Its first line says whose it is."""

    def __init__(self, errand: TrustErrand) -> None:
        """Keep which bundle it is, and where."""
        self._header = _HEADER + errand.name.encode() + b"\n"
        self._path = errand.path or ""
        self._parent, _slash, self._name = self._path.rpartition("/")
        self._makes_directory = errand.makes_directory

    def look(self) -> TrustSeen:
        """Return what the file holds."""
        found = self._read()
        if found is None:
            left = "a run was cut off that wrote there" if self._is_half_written() else ""
            return TrustSeen(self._path, "drift" if left else "missing", detail=left)
        content = found.content
        anchors, broken = readable(content)
        said = TrustSeen(self._path, "ours", hashlib.sha256(content).hexdigest(), anchors=anchors)
        if not content.startswith(_HEADER):
            return said._replace(state="others", detail=_besides(content, broken=broken))
        if not content.startswith(self._header):
            other = content[len(_HEADER) :].split(b"\n", 1)[0].strip()[:64].decode("ascii", "replace")
            if other != self._header[len(_HEADER) : -1].decode():
                raise Misconfigured(
                    f"host: option path: {self._path} is the file of trust_bundle {other}; write another path, or that "
                    "name"
                )
        why = self._differs(found, anchors)
        return said._replace(state="drift", detail=why) if why else said

    def write(self, anchors: tuple[bytes, ...]) -> None:
        """Put a file with these anchors in its place; without any, remove it."""
        directory = self._directory(make=True)
        if directory is None:
            return
        try:
            if anchors:
                temporary = name_of_ours(self._name)
                write_file(directory, self._name, self._content(anchors), mode=MODE, temporary=temporary)
            else:
                remove(directory, name_of_ours(self._name))
                remove(directory, self._name)
        finally:
            os.close(directory)

    def _content(self, anchors: t.Sequence[bytes]) -> bytes:
        return self._header + b"".join(map(pki.pem_certificate, anchors))

    def _differs(self, found: Read, anchors: t.Sequence[bytes]) -> str:
        """Say how our file is not as it is written; nothing where it is."""
        if found.content != self._content(anchors):
            return "somebody else changed it"
        return spoiled(found.facts)

    def _read(self) -> Read | None:
        directory = self._directory(make=False)
        if directory is None:
            return None
        try:
            there = facts(directory, self._name)
            if there is not None and not stat.S_ISREG(there.st_mode):
                raise Misconfigured(
                    f"host: option path: {self._path} is a link or no regular file; write another path"
                )
            return None if there is None else read_with_facts(directory, self._name, LARGEST)
        finally:
            os.close(directory)

    def _directory(self, *, make: bool) -> int | None:
        parent = self._parent or "/"
        if self._makes_directory:
            return find_directory(parent, create_mode=0o755 if make else None)
        try:
            return open_directory(parent)
        except Misconfigured as error:
            raise Misconfigured(str(error).replace("host: ", "host: option path: ", 1)) from None

    def _is_half_written(self) -> bool:
        """Tell whether a killed run left a file that it had not renamed yet."""
        directory = self._directory(make=False)
        if directory is None:
            return False
        try:
            return facts(directory, name_of_ours(self._name)) is not None
        finally:
            os.close(directory)


def spoiled(there: os.stat_result) -> str:
    """Say why others may write a file of ours, or not read it; nothing where it is as it was made."""
    if there.st_uid not in (0, os.geteuid()):
        return f"it belongs to {user_name(there.st_uid)}"
    mode = stat.S_IMODE(there.st_mode)
    return "" if mode == MODE else f"its mode is {mode:04o}, not {MODE:04o}"


def readable(content: bytes) -> tuple[tuple[bytes, ...], bool]:
    """Return the certificates (DER) of a PEM text that can be read, and whether others cannot."""
    found: list[bytes] = []
    broken = False
    for block in content.split(pki.PEM_BEGIN)[1:]:
        try:
            found += pki.der_certificates(pki.PEM_BEGIN + block)
        except ValueError:
            broken = True
    return tuple(dict.fromkeys(found)), broken


def _besides(content: bytes, *, broken: bool) -> str:
    """Say what a file of others holds that is no certificate, and would be lost."""
    labels = {label.decode("ascii") for label in _LABEL.findall(content)} - {_CERTIFICATE}
    if labels or broken:
        return ", ".join(sorted(labels)) or "a certificate that cannot be read"
    return "" if _LABEL.search(content) or not content.strip() else "no PEM"
