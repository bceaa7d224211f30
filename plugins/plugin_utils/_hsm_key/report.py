# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the user of hsm_key sees. Nothing in it is secret."""

from __future__ import annotations

import typing as t

from ...module_utils._core.held import Held, Seen, capabilities
from .findings import findings
from .record import pem_of

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Step
    from .._action import Task
    from .decide import Known
    from .wanted import Wanted

GUARDS = ("extractable", "never_extractable", "sensitive", "always_sensitive", "local")


class Outcome(t.NamedTuple):
    """What had to be done, and the key before and after."""

    wanted: Wanted
    seen: Seen
    steps: tuple[Step, ...]
    before: Held | None
    after: Held | None
    known: Known


def report(outcome: Outcome, task: Task, warnings: list[str]) -> dict[str, t.Any]:
    """Return the result of the task; in check mode, of what there is now."""
    key, wanted = outcome.after, outcome.wanted
    said: dict[str, t.Any] = {
        "changed": bool(outcome.steps),
        "steps": [{"action": step.action, "reason": step.reason} for step in outcome.steps],
        "uri": key.uri if key else None,
        "public_key": pem_of(key) if key else None,
        "attributes": _attributes(key, outcome.seen) if key else {},
        "findings": findings(wanted, key, outcome.seen) if key and wanted.present else [],
    }
    if warnings:
        said["warnings"] = warnings
    if task.diff:
        said["diff"] = _diff(outcome)
    return said


def _attributes(key: Held, seen: Seen) -> dict[str, t.Any]:
    return {
        "label": key.label,
        "id": key.id,
        "type": key.type,
        "token": {name: getattr(seen, name) for name in ("label", "serial", "manufacturer", "model")},
        "usage": [name for name in key.has if name not in GUARDS],
        **{name: name in key.has if name in (*key.has, *key.lacks) else None for name in GUARDS},
    }


def _diff(outcome: Outcome) -> dict[str, str]:
    """Show the key as lines, by what the steps do to it."""
    does = {step.action for step in outcome.steps}
    recorded = bool(outcome.known.recorded or outcome.known.stale)
    before = _lines(outcome.before, recorded=recorded)
    after = before
    if "stage_key" in does:
        after = _declared(outcome.wanted)
    elif "destroy" in does:
        after = ""
    elif "adopt" in does:
        after = _lines(outcome.before, recorded=True)
    elif "withdraw" in does:
        before += "".join(f"in the ledger only: {uri}\n" for uri in outcome.known.stale)
    header = f"key with {outcome.wanted.called}"
    return {"before": before, "after": after, "before_header": header, "after_header": header}


def _lines(key: Held | None, *, recorded: bool) -> str:
    if key is None:
        return ""
    usage = [name for name in key.has if name not in GUARDS]
    return _text(key.type, key.label, usage, extractable="extractable" in key.has, recorded=recorded)


def _declared(wanted: Wanted) -> str:
    usage = capabilities(wanted.made_as, wanted.used_for(wanted.made_as))
    return _text(wanted.made_as, wanted.label or "", usage, extractable=wanted.extractable, recorded=True)


def _text(key_type: str, label: str, usage: t.Iterable[str], *, extractable: bool, recorded: bool) -> str:
    lines = {
        "type": key_type,
        "label": label,
        "usage": ", ".join(sorted(usage)),
        "extractable": str(extractable).lower(),
        "in the ledger": str(recorded).lower(),
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items())
