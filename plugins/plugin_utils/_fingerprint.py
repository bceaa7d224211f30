# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Fingerprints of certificates as people have them: from openssl, which prints what it is before, and colons."""

from __future__ import annotations

import re

from ..module_utils._core.errors import Misconfigured

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def sha256(said: str, option: str) -> str:
    """Return a SHA-256 fingerprint in lower-case hex. Raises Misconfigured, naming the option."""
    found = said.rpartition("=")[2].strip().replace(":", "").lower()
    if not _SHA256.fullmatch(found):
        raise Misconfigured(
            f"{option}: {said[:100]!r} is not a SHA-256 fingerprint; write its 64 hexadecimal digits"
        )
    return found
