# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What needs a leave: a policy that says nothing of it refuses it."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied
from ...module_utils._core.key import KEY_ORIGINS
from ...module_utils._core.publication import REMOTE_PUBLISHERS

if t.TYPE_CHECKING:
    from .candidate import Candidate
    from .policy import Policy

WITH_KEYS = "publish_private_key"


def check_leave(policy: Policy, candidate: Candidate) -> None:
    """Refuse a secret that goes down, or a key that goes on from the controller, where no rule says a word about it.

    A rule that speaks of it has been applied already. Raises Denied.
    """
    if candidate.origin != KEY_ORIGINS[0] and not policy.speaks_of("custody", "origin", candidate):
        permitted = f"custody: {{origin: {_shown(KEY_ORIGINS)}}}"
        raise _silent(policy, candidate, f"key.origin {candidate.origin}", permitted)
    if _goes_down(candidate) and not policy.speaks_of("issuer", "allow", candidate):
        permitted = "issuer: {allow: [{scep: {challenge: true}}]}"
        raise _silent(policy, candidate, "issuer scep with challenge", permitted)
    given = [name for name, parts in candidate.publish if name in REMOTE_PUBLISHERS and "private_key" in parts]
    if given and not policy.speaks_of("delivery", WITH_KEYS, candidate):
        raise _silent(policy, candidate, f"private_key to {given[0]}", f"delivery: {{{WITH_KEYS}: {_shown(given)}}}")


def _goes_down(candidate: Candidate) -> bool:
    """Tell whether a secret of the issuer would go to the host."""
    backend, options = candidate.issuer or ("", {})
    return backend == "scep" and bool(options.get("challenge"))


def _silent(policy: Policy, candidate: Candidate, what: str, rule: str) -> Denied:
    return Denied(
        f"policy: {policy.source} has no rule for {candidate.name} that permits {what}; leave that out, or let the "
        f"policy say {rule}"
    )


def _shown(words: t.Iterable[str]) -> str:
    return f"[{', '.join(dict.fromkeys(words))}]"
