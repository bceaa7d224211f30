# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The lists of weak keys that a policy names: they are read when the first key is looked for, and then once."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured


class WeakLists:
    """The lists of one rule: paths, and what is in them. Raises Misconfigured when they cannot be read."""

    def __init__(self, paths: t.Iterable[str], beside: Path) -> None:
        """Take paths; a relative one begins at a directory."""
        self.paths = tuple(str(beside / Path(one).expanduser()) for one in paths)

    def __contains__(self, spki: str) -> bool:
        """Tell whether a key is in one of them, by its SPKI SHA-256 in lower-case hexadecimal."""
        return spki in self._known

    @functools.cached_property
    def _known(self) -> frozenset[str]:
        return known_weak(self.paths)


def known_weak(lists: t.Sequence[str]) -> frozenset[str]:
    """Read lists of weak keys: a SPKI SHA-256 digest in hexadecimal a line; what follows it, and #, is a comment."""
    found = set()
    for path in lists:
        try:
            with Path(path).open(encoding="ascii", errors="replace") as lines:
                found |= {line.split(None, 1)[0].lower() for line in lines if line.strip() and line[0] != "#"}
        except OSError as error:
            raise Misconfigured(f"policy: weak_keys.lists: {path} cannot be read ({error.strerror}); make it") from None
    if any(len(one) != 64 for one in found):
        raise Misconfigured(
            f"policy: weak_keys.lists: {', '.join(lists)} has a line that begins with no SHA-256 digest; correct it"
        )
    return frozenset(found)


def check_list(one: str, path: str) -> None:
    """Check that a list is there which the policy at a path names. Raises Misconfigured."""
    if not Path(one).is_file():
        raise Misconfigured(f"policy: {path}: weak_keys.lists: there is no file {one}; put the list there")
