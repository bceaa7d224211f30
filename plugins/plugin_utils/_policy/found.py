# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a policy says of a credential that is there, whoever declared it: for reports, nothing is refused."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import printable
from .candidate import Candidate
from .live import as_found
from .review import told

if t.TYPE_CHECKING:
    from .._action import Task
    from .._work import Work
    from .policy import Policy

OF_CREDENTIAL = ("key_type", "key_size", "lifetime", "profile", "names", "holders")
OF_RECORD = ("contact",)
LONGEST = 500  # characters of a finding: anybody may have signed the names in it


def found_by(policy: Policy, work: Work, task: Task) -> list[str]:
    """Return the findings about the credential of an identity as sentences, without its name."""
    known, found = work.remembered, work.found
    if work.credential is None or found is None:
        return []
    bare = Candidate(
        work.name,
        task.host,
        groups=task.groups,
        contact=known.contact if known else None,
        service=known.service if known else None,
    )
    kinds = (*OF_CREDENTIAL, *(OF_RECORD if known else ()))
    verdicts = policy.verdicts(as_found(bare, work.credential), kinds)
    return [printable(text.replace(f", {work.name}: ", ": ", 1)[:LONGEST]) for text in told(verdicts)]
