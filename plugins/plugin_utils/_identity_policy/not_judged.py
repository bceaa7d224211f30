# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which rules cannot tell whether something breaks them, so that their silence is not taken for consent."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import printable
from ...module_utils._core.model import KINDS
from .._policy.found import LONGEST

if t.TYPE_CHECKING:
    from .._policy.policy import Policy
    from .subject import Fields, Subject

_CALLED = {
    "extractable": "key.extractable",
    "key_age": "the age of its key",
    "key_type": "key.type",
    "name": "the name of the identity",
    "origin": "key.origin",
    "reached": "the connection",
    "reuse": "key.reuse",
    "shared_with": "who else has its key",
    "signature": "the hash of its signature",
    "spki": "its key",
    "subject": "its names",
}
"""What a rule asks for where it is not called as the option is."""


def not_judged(policy: Policy, subjects: t.Iterable[Subject]) -> list[Fields]:
    """Return the rules of which it is not told whether they are kept, in their order, and of how much.

    A rule that is only about what is never looked at here, such as authorities, is one of them.
    """
    asked: dict[str, dict[str, None]] = {one.id: {} for one in policy.rules}
    of: dict[str, list[Subject]] = {one.id: [] for one in policy.rules}
    for subject in subjects:
        for rule, field in policy.not_told(subject.candidate):
            asked[rule].setdefault(_CALLED.get(field, field))
            of[rule].append(subject)
    elsewhere = {one.id for one in policy.rules if not one.is_about(KINDS)}
    return [_said(rule, list(asked[rule]), some) for rule, some in of.items() if some or rule in elsewhere]


def _said(rule: str, asks: list[str], of: list[Subject]) -> Fields:
    text = f"rule {rule} is about what is not looked at here"
    if of:
        more = f" and {len(of) - 1} more" if len(of) > 1 else ""
        text = f"rule {rule} asks for {', '.join(asks)}, which nobody told of {of[0].called}{more}"
    return {"rule": rule, "asks": asks, "total": len(of), "msg": printable(text[:LONGEST])}
