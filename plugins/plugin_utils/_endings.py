# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What runs depend on and that ends, beside what is issued: logins, authorities, lists, accounts (ADR 40)."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from datetime import datetime


class Ending(t.NamedTuple):
    """`what` it is, whose or which, and what was found.

    It ends at `ends`, None where it does not, or nobody can tell; `begins` is None where nobody knows when it began.
    `remedy` says what helps. `state` is said where it is not the end that decides: ok, warning, critical or unknown.
    """

    what: str
    name: str
    found: str = ""
    remedy: str = ""
    ends: datetime | None = None
    begins: datetime | None = None
    state: str = ""


@t.runtime_checkable
class Ends(t.Protocol):
    """An issuer that can say when what it depends on ends. An error that ends it is a finding too."""

    def endings(self) -> t.Iterator[Ending]: ...
