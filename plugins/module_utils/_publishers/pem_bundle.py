# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Parts in one PEM file (RFC 7468), in the order that is declared, for who reads one file and follows no link."""

from __future__ import annotations

import typing as t

from .._core import pki
from .._core.keys import from_pem, spki_sha256
from .._host.pem_files import certificates, key_block


class PemBundle:
    """A file that is exactly its parts."""

    def content(self, parts: t.Mapping[str, bytes]) -> bytes:
        """Return the parts, one after the other, each on lines of its own."""
        return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts.values() if part)

    def difference(self, content: bytes, parts: t.Mapping[str, bytes]) -> tuple[str, str]:
        """Say how a file differs from the parts, byte for byte: a state, empty for not at all, and what is found."""
        wanted = self.content(parts)
        if content == wanted:
            return "", ""
        if sorted(content.splitlines()) == sorted(wanted.splitlines()):
            return "order", ""
        try:
            ours, theirs = _ids(wanted), _ids(content)
        except ValueError:
            return "unreadable", ""
        if not any(theirs.values()):
            return "unreadable", ""
        differing = (state for state in ours if ours[state] and theirs[state] and ours[state] != theirs[state])
        return next(differing, "parts"), ""


def _ids(content: bytes) -> dict[str, str | None]:
    """Return which key a PEM text has, and which certificate is its first one."""
    block, found = key_block(content), certificates(content)
    return {
        "key": spki_sha256(from_pem(block).public_key()) if block else None,
        "certificate": pki.fingerprint(found[0]) if found else None,
    }
