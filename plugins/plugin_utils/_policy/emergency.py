# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An emergency needs the leave of the policy for everybody whose certificate goes: a policy that is silent refuses."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied
from .candidate import Candidate
from .policy import WARN
from .review import told

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from .._cert_revoke.kept import Holder
    from .policy import Policy

PERMITS = "emergency_revocation"
UNHELD = "certificate **"
"""What matches the name of whatever no identity is known to have, `certificate 4a:0b`."""


def check_emergency(policy: Policy, targets: Iterable[tuple[str, t.Sequence[Holder]]], host: str) -> list[str]:
    """Return the warnings; raises Denied where no rule permits it for one of the holders.

    What no identity has is judged by its name in messages and the host of the task.
    """
    found = []
    for called, holders in targets:
        for candidate in map(_candidate, holders) if holders else [Candidate(called, host, emergency=True)]:
            if not policy.judges(PERMITS, candidate):
                raise Denied(_no_leave(policy, candidate, known=bool(holders)))
            found += policy.verdicts(candidate, (PERMITS,))
    refused = [one for one in found if one.severity != WARN]
    if refused:
        raise Denied(f"policy: {policy.source} refuses this task: {'; '.join(told(refused)[:1])}")
    return [f"policy: {text}" for text in told(found)]


def _no_leave(policy: Policy, candidate: Candidate, *, known: bool) -> str:
    told = f"policy: {policy.source} has no rule {PERMITS} for {candidate.name}: emergency true; leave it out, or let "
    if known:
        return f"{told}the policy say {PERMITS}: {{allow: true}}"
    return (
        f"{told}a rule say {PERMITS}: {{allow: true}} that has no only, or only: {{identities: ['{UNHELD}']}}: nobody "
        "can say here whose it is, so a rule for identities by their names is not about it"
    )


def _candidate(holder: Holder) -> Candidate:
    return Candidate(
        name=holder.identity,
        host=holder.host,
        profile="",
        key_type=holder.key_type,
        custody=holder.custody,
        service=holder.service,
        emergency=True,
    )
