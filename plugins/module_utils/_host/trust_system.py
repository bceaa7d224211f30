# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Anchors in the system's store, by the tool of the distribution. Files of ours bear our name; no other is touched."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import typing as t

from .._core import pki
from .._core.errors import Misconfigured, Unavailable
from .._core.trust import TrustSeen
from .._pkcs11.alone import own_directory
from .command import SYSTEM_PATH, run
from .directories import open_directory
from .locks import locked
from .safe_files import (
    Read,
    create_file,
    facts,
    name_of_ours,
    read_file,
    read_link,
    read_with_facts,
    remove,
    write_file,
)
from .trust_debian import bodies, lacking, wait_for_others
from .trust_file import MODE, readable, spoiled

PATIENCE = 120.0  # seconds for the tool, whose hooks may build a store for Java
LOCK = ".keystead-trust.lock"  # it stays there
LARGEST_STORE = 16 << 20  # bytes


class Layout(t.NamedTuple):
    """How a distribution does it: its tool reads files in `source` and writes `bundle`.

    In `links`, where there is such a directory, every anchor has a link, and one by the hash of its name beside it.
    """

    tool: tuple[str, ...]
    source: str
    bundle: str
    links: str = ""


LAYOUTS = (
    Layout(("update-ca-certificates",), "/usr/local/share/ca-certificates", "/etc/ssl/certs/ca-certificates.crt",
           "/etc/ssl/certs"),
    Layout(("update-ca-trust", "extract"), "/etc/pki/ca-trust/source/anchors",
           "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
)  # fmt: skip


def layout() -> Layout:
    """Return how this host does it. Raises Misconfigured where it has no tool that is known here."""
    for one in LAYOUTS:
        if shutil.which(one.tool[0], path=":".join(SYSTEM_PATH)) and os.path.isdir(one.source):
            return one
    known = " or ".join(f"{one.tool[0]} with {one.source}" for one in LAYOUTS)
    raise Misconfigured(f"host: option system: there is no {known}; install ca-certificates, or write a path")


class SystemStore:
    """What of a bundle is in the system's store: one file an anchor, and what the tool made of them."""

    def __init__(self, name: str, way: Layout) -> None:
        """Take the name of the bundle, and how this host does it."""
        self._prefix, self._layout = f"keystead-{name}-", way
        self._ours = re.compile(re.escape(self._prefix) + r"[0-9a-f]{16}\.(?:crt|pem)", re.ASCII)
        self._our_link = re.compile(re.escape(self._prefix) + r"[0-9a-f]{16}\.pem", re.ASCII)
        self._note = name_of_ours(f"{self._prefix}{'0' * 16}.crt")  # it is in the way of no tool, and found as half
        self._half = re.compile(r"\." + self._ours.pattern + r"\.keystead-new", re.ASCII)  # name_of_ours

    def look(self) -> TrustSeen:
        """Return what is there."""
        directory = open_directory(self._layout.source)
        try:
            files, half_written = self._files(directory), self._half_written(directory)
        finally:
            os.close(directory)
        said = (name.encode() + b"\0" + files[name].content for name in sorted(files))
        digest = hashlib.sha256(b"".join(said)).hexdigest()
        anchors = {der for one in files.values() for der in readable(one.content)[0]}
        why = "a run was cut off that wrote there" if half_written else self._drift(files, anchors)
        state = "drift" if why else "ours" if files else "missing"
        return TrustSeen(self._layout.source, state, digest, why, tuple(sorted(anchors)))

    def write(self, anchors: tuple[bytes, ...]) -> None:
        """Have exactly these anchors in the store, of those of this bundle: what is new comes before what goes."""
        with _alone():
            self._write(anchors)

    def _write(self, anchors: tuple[bytes, ...]) -> None:
        wanted = {self._name_of(der): pki.pem_certificate(der) for der in anchors}
        directory = open_directory(self._layout.source)
        try:
            self._begin(directory)
            there = self._files(directory)
            for name, content in wanted.items():
                found = there.get(name)
                if found is None or found.content != content or spoiled(found.facts):
                    write_file(directory, name, content, mode=MODE, temporary=name_of_ours(name))
            for name in sorted(there.keys() - wanted.keys()):
                remove(directory, name)
            if self._layout.links:
                wait_for_others(self._layout.bundle)
            self._tell(self._layout.tool)
            if self._layout.links:
                self._forget_links()
                remove(directory, self._note)
        finally:
            os.close(directory)

    def _begin(self, directory: int) -> None:
        """Remove what a killed run left, and note that one is at work where the tool has hooks.

        These are told what is new, and that is what has no link: after a run that may have been killed before them,
        ours are made anew.
        """
        cut_off = self._half_written(directory)
        if self._layout.links:
            create_file(directory, self._note, b"", mode=0o600)
        for name in cut_off:
            if name != self._note:
                remove(directory, name)
        if self._note in cut_off:
            self._remove_links(list(filter(self._our_link.fullmatch, os.listdir(self._layout.links))))

    def _name_of(self, der: bytes) -> str:
        return f"{self._prefix}{pki.fingerprint(der)[:16]}.crt"

    def _files(self, directory: int) -> dict[str, Read]:
        """Return the files of this bundle by their names. Raises Misconfigured for what is none."""
        found = {}
        for name in os.listdir(directory):
            if not (self._ours.fullmatch(name) and name.endswith(".crt")):
                continue
            there = facts(directory, name)
            if there is not None and not stat.S_ISREG(there.st_mode):
                raise Misconfigured(f"host: {self._layout.source}/{name} is a link or no regular file; move it away")
            read = read_with_facts(directory, name)
            if read is not None:
                found[name] = read
        return found

    def _half_written(self, directory: int) -> list[str]:
        """Return what killed runs left of this bundle: some tools read every file of the directory."""
        return [name for name in os.listdir(directory) if self._half.fullmatch(name)]

    def _drift(self, files: t.Mapping[str, Read], anchors: t.AbstractSet[bytes]) -> str:
        """Say why the tool has to be run again, or files to be written; nothing where all is as it should be."""
        there = {name: one.content for name, one in files.items()}
        if there != {self._name_of(der): pki.pem_certificate(der) for der in anchors}:
            return "somebody else changed its files"
        for name, one in files.items():
            if spoiled(one.facts):
                return f"of {name}, {spoiled(one.facts)}"
        return self._of_the_tool(anchors)

    def _of_the_tool(self, anchors: t.AbstractSet[bytes]) -> str:
        """Say what the tool has not made yet of the files."""
        if self._dangling():
            return f"what was taken out of it is still in {self._layout.links}"
        known = _bodies(self._layout.bundle) if anchors or not self._layout.links else frozenset()
        if not anchors <= known:
            return f"{self._layout.bundle} lacks what is in it"
        if not self._layout.links and _is_older(self._layout.bundle, self._layout.source):
            return f"{self._layout.bundle} is older than what is in it"
        less = lacking(self._layout.source, known) if anchors and self._layout.links else 0
        return f"{self._layout.bundle} lacks {less} certificates of the system's" if less else ""

    def _dangling(self) -> list[str]:
        """Return the links to files of this bundle that are gone: those by name, and those by hash to these."""
        if not self._layout.links:
            return []
        directory = open_directory(self._layout.links)
        try:
            gone = []
            for name in os.listdir(directory):
                lead = read_link(directory, name) or ""
                if self._ours.fullmatch(lead.rpartition("/")[2]) and not os.path.exists(f"{self._layout.links}/{name}"):
                    gone.append(name)
            return gone
        finally:
            os.close(directory)

    def _forget_links(self) -> None:
        """Remove the links to what is gone, which the tool leaves where nothing was added.

        OpenSSL stops at the first number that a hash lacks, so the directory is hashed again. Until that is done, the
        links by hash tell that it is still to do.
        """
        gone = self._dangling()
        if not gone:
            return
        self._remove_links(list(filter(self._ours.fullmatch, gone)))
        self._tell(("openssl", "rehash", self._layout.links))

    def _remove_links(self, names: t.Sequence[str]) -> None:
        directory = open_directory(self._layout.links)
        try:
            for name in names:
                remove(directory, name)
        finally:
            os.close(directory)

    def _tell(self, argv: t.Sequence[str]) -> None:
        ran = run(argv, PATIENCE)
        if ran.problem:
            raise Unavailable(f"host: {ran.problem}; run {' '.join(argv)} by hand to see why, then run again")


@contextlib.contextmanager
def _alone() -> t.Iterator[None]:
    """Keep other runs out: two tools at once write one file, and leave a part of the system's anchors in it.

    The lock is not in `source`, of which a tool may read every file.
    """
    place = own_directory()
    if place is None:
        yield
        return
    directory = open_directory(place)
    try:
        with locked(directory, LOCK, PATIENCE):
            yield
    finally:
        os.close(directory)


def _bodies(path: str) -> frozenset[bytes]:
    """Return the certificates (DER) of a file of the system's, whoever wrote what stands between them."""
    parent, _slash, name = path.rpartition("/")
    directory = open_directory(parent)
    try:
        content = read_file(directory, name, LARGEST_STORE) or b""
    finally:
        os.close(directory)
    return bodies(content)


def _is_older(path: str, directory: str) -> bool:
    """Tell whether a file was written before something in a directory was added or removed."""
    try:
        return os.stat(path).st_mtime_ns < os.stat(directory).st_mtime_ns
    except FileNotFoundError:
        return True
