# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A key by itself as rules judge it: by those about keys, and by those that say `only: {kinds: [key]}`."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied
from .candidate import Candidate

if t.TYPE_CHECKING:
    from .._action import Task
    from .policy import Policy

PERMITS = "extractable_keys"


class Bare(t.NamedTuple):
    """A key without an identity: what it is called, its type and custody, and whether it may come out."""

    name: str
    type: str
    custody: str = "pkcs11"
    extractable: bool = False


def bare_key(key: Bare, task: Task) -> Candidate:
    """Return a key as it is to be judged: it has no names, no life and no consumer."""
    return Candidate(
        name=key.name,
        host=task.host,
        kind="key",
        groups=task.groups,
        profile="",
        key_type=key.type,
        custody=key.custody,
        reached=task.reached,
        extractable=key.extractable,
    )


def check_extractable(policy: Policy, candidate: Candidate) -> None:
    """Refuse a key that may come out where no rule says a word about that: it needs a leave, and silence is none."""
    if candidate.extractable and not policy.judges(PERMITS, candidate):
        raise Denied(
            f"policy: {policy.source} has no rule extractable_keys for {candidate.name}: extractable true; leave it "
            "out, or let the policy say extractable_keys: {allow: true}"
        )


class Standing:
    """What is known of a key: whether it is there already; then it stays as it is."""

    def __init__(self, *, is_there: bool) -> None:
        """Take what the token said."""
        self._is_there = is_there

    def as_it_is(self, candidate: Candidate) -> Candidate | None:
        """Return it as it is."""
        return candidate if self._is_there else None

    def age_of_key(self, candidate: Candidate) -> int | None:  # noqa: ARG002
        """Return nothing: how long a key is used, those say that use it."""
        return None
