# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the user of trust_bundle sees. Nothing in it is secret."""

from __future__ import annotations

import typing as t

from ...module_utils._core import pki

if t.TYPE_CHECKING:
    from .._action import Task
    from .anchors import Anchor
    from .decide import Plan
    from .wanted import Wanted


def report(
    wanted: Wanted, there: t.Sequence[Anchor], plan: Plan, task: Task, warnings: list[str]
) -> dict[str, t.Any]:
    """Return the result of the task: the bundle as it is then, in check mode as it would be."""
    said: dict[str, t.Any] = {
        "changed": bool(plan.steps),
        "steps": [{"action": step.action, "reason": step.reason} for step in plan.steps],
        "path": wanted.path if plan.anchors else None,
        "anchors": [_row(one, plan) for one in plan.anchors],
    }
    if warnings:
        said["warnings"] = warnings
    if task.diff:
        before = sorted(there, key=lambda one: one.fingerprint)
        header = {"before_header": wanted.where, "after_header": wanted.where}
        said["diff"] = {"before": _text(before), "after": _text(plan.anchors), **header}
    return said


def _row(one: Anchor, plan: Plan) -> dict[str, t.Any]:
    peers = plan.kept.get(one.fingerprint, ())
    why = plan.why(one)
    return {
        **one.to_row(),
        "retained": why is not None,
        "why": why,
        "needed_by": [{"host": peer.host, "store": peer.store, "identity": peer.identity} for peer in peers],
    }


def _text(anchors: t.Iterable[Anchor]) -> str:
    return "".join(f"# {one.subject}\n{pki.pem_certificate(one.der).decode()}" for one in anchors)
