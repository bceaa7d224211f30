# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What opens the private key of an authority: nothing, the passphrase of its file, or the custody it lives in."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from .passphrase import passphrase

FILE = "file"


class Custody(t.NamedTuple):
    """Where a key lives, and the options that say how that is reached; these may hold secrets."""

    name: str
    options: t.Mapping[str, t.Any]

    def __repr__(self) -> str:
        return f"Custody({self.name})"


class Opening(t.NamedTuple):
    """What a task gives to open a key: one of the two at most. `custody` is None for a file."""

    passphrase: bytes | None = None
    custody: Custody | None = None

    @property
    def custody_name(self) -> str:
        """What the custody is called."""
        return self.custody.name if self.custody else FILE

    def __repr__(self) -> str:
        return f"Opening({self.custody_name})"


def opening(options: t.Mapping[str, t.Any], custody: t.Mapping[str, t.Any] | None, about: str) -> Opening:
    """Return what `passphrase`, `passphrase_file` and a custody say; `about` names the authority in errors.

    Raises Misconfigured where they do not go together, or what is given is empty.
    """
    name, how = next(iter(custody.items())) if custody else (FILE, {})
    if name == FILE:
        return Opening(passphrase(options, about))
    given = [option for option in ("passphrase", "passphrase_file") if options.get(option) is not None]
    if given:
        raise Misconfigured(
            f"local: {about} has {given[0]} and custody {name}; remove {given[0]}: it protects a file, and here is none"
        )
    return Opening(custody=Custody(name, how))
