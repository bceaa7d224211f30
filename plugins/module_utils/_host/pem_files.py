# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""PEM files that somebody else wrote: opened without trusting anybody but root and us, told apart by their blocks."""

from __future__ import annotations

import base64
import os
import re
import stat
import typing as t
from collections import Counter

from .._core import pki
from .._core.errors import KeysteadError, Misconfigured
from .._core.keys import from_pem, spki
from .directories import find_directory
from .safe_files import facts, read_file, read_link

LARGEST_FILE = 1 << 20
MOST_HOPS = 8
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KEY_BLOCK = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY)-----.{1,65536}?-----END \1-----\r?\n?", re.DOTALL
)
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_EC_PARAMETERS = re.compile(rb"-----BEGIN EC PARAMETERS-----([A-Za-z0-9+/=\s]{1,4096})-----END EC PARAMETERS-----")
KEY, CERTIFICATE = "PRIVATE KEY", "CERTIFICATE"


class Found(t.NamedTuple):
    """A file as it was read: where it really is, its content, and what stat says of it."""

    path: str
    content: bytes
    facts: os.stat_result


def read(path: str) -> Found | None:
    """Read a regular file; None where it is not there.

    Links are followed from one directory that nobody else can change into another such (rule W2).
    """
    way = _followed(path)
    if way is None:
        return None
    directory, name, real = way
    try:
        there = facts(directory, name)
        if there is not None and not stat.S_ISREG(there.st_mode):
            raise Misconfigured(f"host: {real} is not a regular file; write another path")
        content = read_file(directory, name, LARGEST_FILE)
        return None if content is None or there is None else Found(real, content, there)
    finally:
        os.close(directory)


def why_closed(path: str) -> str:
    """Say why `read` would refuse a path for the directories on its way; nothing where it would not."""
    try:
        way = _followed(path)
    except KeysteadError as error:
        return str(error)
    if way is not None:
        os.close(way[0])
    return ""


def _followed(path: str) -> tuple[int, str, str] | None:
    """Follow links to what is none: its open directory, its name there, its path. None where a directory is missing."""
    real = path
    for _hop in range(MOST_HOPS):
        parent, _slash, name = real.rpartition("/")
        directory = find_directory(parent or "/")
        if directory is None:
            return None
        try:
            target = read_link(directory, name)
        except BaseException:
            os.close(directory)
            raise
        if target is None:
            return directory, name, real
        os.close(directory)
        real = os.path.normpath(os.path.join(parent or "/", target))
    raise Misconfigured(f"host: {path} leads through more than {MOST_HOPS} links; write the real path")


def opened(path: str, directory: int | None = None) -> int | None:
    """Open a regular file, in its times without a trace where that is allowed; None for anything else.

    The last component is no link. Raises OSError.
    """
    try:
        descriptor = os.open(path, _OPEN | getattr(os, "O_NOATIME", 0), dir_fd=directory)
    except PermissionError:
        descriptor = os.open(path, _OPEN, dir_fd=directory)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def key_block(content: bytes) -> bytes | None:
    """Return the first private key of a PEM text as it stands there, from its first line to its last."""
    found = _KEY_BLOCK.search(content)
    return found.group(0).rstrip(b"\r\n") + b"\n" if found else None


def is_encrypted(block: bytes) -> bool:
    """Tell whether a private key needs a passphrase (RFC 7468, 11; RFC 1421, 4.6.1.1)."""
    return b"BEGIN ENCRYPTED" in block or b"Proc-Type: 4,ENCRYPTED" in block


def beyond(content: bytes, part: bytes) -> tuple[str, ...]:
    """Return the labels (RFC 7468, 2) of what a PEM text holds and a part would lose, sorted: none where all is kept.

    What stands between the blocks does not count, nor do EC parameters that only repeat the curve of a lone key.
    """
    theirs, ours = _labels(content), _labels(part)
    if ours[CERTIFICATE]:
        del theirs[CERTIFICATE]  # they are compared one by one
    elif ours[KEY] == theirs[KEY] == 1 and _repeats_the_curve(content):
        theirs["EC PARAMETERS"] -= 1
    kinds = set(theirs - ours)
    if ours[CERTIFICATE] and set(certificates(content)) - set(certificates(part)):
        kinds.add(CERTIFICATE)
    return tuple(sorted(kinds))


def _labels(content: bytes) -> Counter[str]:
    found = (label.decode("ascii") for label in _BEGIN.findall(content))
    return Counter(KEY if label.endswith(KEY) else label for label in found)


def _repeats_the_curve(content: bytes) -> bool:
    found, block = _EC_PARAMETERS.search(content), key_block(content)
    if found is None or block is None:
        return False
    try:
        curve = base64.b64decode(found.group(1))
        public = from_pem(block, ours=False).public_key()
    except ValueError:
        return False
    return bool(curve) and curve in spki(public)


def certificates(content: bytes) -> tuple[bytes, ...]:
    """Return the certificates of a PEM text as DER, none where it has none; raises ValueError for broken ones."""
    return pki.der_certificates(content) if pki.PEM_BEGIN in content else ()


def private_key(path: str, content: bytes) -> tuple[bytes, t.Any]:
    """Return the private key of a PEM file as it stands there, and loaded; raises Misconfigured with the remedy."""
    block = key_block(content)
    if block is None:
        raise Misconfigured(f"host: {path} holds no private key in PEM; write the path of one that does")
    if is_encrypted(block):
        raise Misconfigured(
            f"host: the key in {path} needs a passphrase, and a renewed one would have none; "
            f"decrypt it (openssl pkey -in {path} -out ..., mode 0600) and name that file"
        )
    try:
        return block, from_pem(block, ours=False)
    except ValueError:
        raise Misconfigured(
            f"host: the key in {path} cannot be loaded; see what openssl pkey -in {path} -check -noout says"
        ) from None
