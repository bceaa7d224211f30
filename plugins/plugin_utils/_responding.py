# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an issuer wants to see on a host, shown there by one execution for all identities: phase `respond`."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._core import wire
from ..module_utils._core.errors import Denied
from ._host_half import error_of

if t.TYPE_CHECKING:
    from ..module_utils._core.challenge import Challenge
    from ..module_utils._core.errors import KeysteadError
    from ._host_half import HostHalf
    from ._work import Work


def respond(
    host: HostHalf, wanted: t.Mapping[str, tuple[Challenge, ...]], works: t.Sequence[Work]
) -> dict[str, KeysteadError]:
    """Show everything; return what could not be shown, by the names of identities."""
    entries = [
        {
            "identity": wire.pack(work.identity),
            "lease": work.lease,
            "challenges": [wire.pack(one) for one in wanted[work.name]],
        }
        for work in works
    ]
    answers = host.respond(entries, datetime.now(UTC))
    failed: dict[str, KeysteadError] = {}
    for work in works:
        answer = answers.get(work.name)
        if answer is None:
            failed[work.name] = Denied("host: it gave no answer for this identity")
        elif "error" in answer:
            failed[work.name] = error_of(answer) or Denied("host: it failed and does not say how")
    return failed
