# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What opens the private key of an authority."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from .._secrets import first_line


def passphrase(options: t.Mapping[str, t.Any], about: str) -> bytes | None:
    """Return what `passphrase` or the first line of `passphrase_file` says; None where neither is given.

    `about` names the authority in errors. Raises Misconfigured when both are given, or what is given is empty.
    """
    said, path = options.get("passphrase"), options.get("passphrase_file")
    if said is not None and path is not None:
        raise Misconfigured(f"local: {about} has both passphrase and passphrase_file; keep one of them")
    if said is None and path is None:
        return None
    found = str(said).encode() if path is None else first_line(path, "local: passphrase_file", f" of {about}")
    if not found:
        option = "passphrase" if path is None else f"passphrase_file {path}"
        raise Misconfigured(f"local: {option} of {about} is empty; leave it out for a key without a passphrase")
    return found
