# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Other files beside a pair that hold a half of it: its first renewal leaves them as they are."""

from __future__ import annotations

import os
import typing as t

from .._core.errors import KeysteadError
from .._core.keys import from_pem, spki_sha256
from .._core.model import Finding
from .pem_files import certificates, is_encrypted, key_block, opened
from .scan_file import is_named_like_one

if t.TYPE_CHECKING:
    from .._core.model import Identity
    from .originals import Pair

MOST_LOOKED_AT, MOST_NAMED, LARGEST_FILE = 256, 8, 64 * 1024


def other_copies(wanted: Identity, pair: Pair) -> list[Finding]:
    """Return a finding with the paths beside an adopted pair that hold its key or its certificate and get no link.

    Where no link is declared at all, nothing takes the place of anything: then nothing is said.
    """
    if wanted.adopt is None or not wanted.files.links:
        return []
    linked = {link.path for link in wanted.files.links}
    beside = dict.fromkeys(os.path.dirname(path) for path in wanted.adopt[:3] if path)
    paths = [f"{directory}/{name}" for directory in beside for name in _names(directory)]
    found = [path for path in paths if path not in linked and _is_half(path, pair)]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return [Finding("other_copies", ", ".join(found[:MOST_NAMED]) + more)] if found else []


def _names(directory: str) -> list[str]:
    try:
        names = sorted(name for name in os.listdir(directory) if is_named_like_one(name) and name.isprintable())
    except OSError:
        return []
    return names[:MOST_LOOKED_AT]


def _is_half(path: str, pair: Pair) -> bool:
    """Tell whether a file holds the key or the certificate of a pair; what cannot be read is none."""
    try:
        content = _content(os.path.realpath(path))
        if certificates(content)[:1] == pair.certificates[:1]:
            return True
        block = key_block(content)
        if block is None or is_encrypted(block):
            return False
        return spki_sha256(from_pem(block, ours=False).public_key()) == pair.credential.public_id
    except (OSError, ValueError, KeysteadError):
        return False


def _content(path: str) -> bytes:
    descriptor = opened(path)
    if descriptor is None:
        return b""
    try:
        return os.read(descriptor, LARGEST_FILE)
    finally:
        os.close(descriptor)
