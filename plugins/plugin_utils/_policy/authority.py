# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An authority as rules judge it that say `only: {kinds: [authority]}`."""

from __future__ import annotations

import typing as t

from .candidate import Candidate
from .signer import normal

if t.TYPE_CHECKING:
    from .._authority.wanted import Wanted
    from .._inventory import Place


def authority(declared: Wanted, where: Place) -> Candidate:
    """Return an authority as it is to be judged; who signs it is its parent, or itself."""
    above = declared.parent or declared
    return Candidate(
        name=declared.name,
        host=where.host,
        kind="authority",
        groups=where.groups,
        key_type=declared.key_type,
        custody=declared.opening.custody_name,
        lifetime=declared.lifetime,
        issuer=normal("local", {"directory": str(above.directory), "authority": above.name}),
    )


class Standing:
    """What is known of an authority: whether it is there already; it never becomes another than it was declared."""

    def __init__(self, declared: Wanted) -> None:
        """Look whether it is there."""
        self._is_there = (declared.directory / declared.name).exists()

    def as_it_is(self, candidate: Candidate) -> Candidate | None:
        """Return it as it is."""
        return candidate if self._is_there else None

    def age_of_key(self, candidate: Candidate) -> int | None:  # noqa: ARG002
        """Return nothing: the life of an authority is that of its key."""
        return None
