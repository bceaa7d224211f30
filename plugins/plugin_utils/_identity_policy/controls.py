# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the controls of frameworks stand, and the evidence of it; nothing of it is loaded where nobody asks."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ...module_utils._options.identity_policy import FRAMEWORKS
from ...module_utils._options.ledger_info import SELECT
from .subject import WHO

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .._audit.vouched import Vouched
    from .._ledger.chain import Readable
    from .._policy.policy import Policy
    from .._rows.row import Row
    from .subject import Fields, Subject

Options = t.Mapping[str, t.Any]


class Asked(t.NamedTuple):
    """What is judged by, as it is then and as it was read, at which moment; with `check`, nothing is written."""

    ledger: Readable | None
    policy: Policy
    compiled: t.Mapping[str, t.Any]
    at: datetime
    check: bool


def controls_asked(args: Options) -> bool:
    """Tell whether options ask for controls."""
    return bool(args["frameworks"] or args["evidence"])


def controls(
    args: Options, subjects: Sequence[Subject], found: Sequence[tuple[Row, dict[str, str]]], asked: Asked
) -> Fields:
    """Return `controls`, `evidence`, `warnings`, and whether anything changed. Raises KeysteadError."""
    if asked.ledger is None or not controls_asked(args):
        return {"changed": False, "controls": None, "evidence": None, "warnings": []}
    from .._controls.evidence import Setting, Written, said, write
    from .._controls.judge import Judge
    from .._controls.queries import Known

    by_row: dict[t.Any, list[tuple[str, str]]] = {}
    for row, one in found:
        by_row.setdefault(row.key, []).append((one["code"], one["msg"]))
    vouched, warnings = _vouched(args)
    rows = [one.row for one in subjects if one.row is not None]
    known = Known(rows, by_row, asked.ledger, vouched, asked.at)
    judge = Judge(known, subjects, asked.policy, args["public_issuers"])
    verdicts = {name: judge.of(name) for name in args["frameworks"] or FRAMEWORKS}
    written = Written([], [])
    if args["evidence"]:
        said_so = {name: args[name] for name in (*SELECT, "managed", "records") if args[name] is not None}
        about = {"selection": said_so, "public_issuers": args["public_issuers"], "public_keys": sorted(vouched.keys)}
        to = args["evidence"]
        setting = Setting(to["directory"], to["key"], asked.policy, asked.compiled, about, asked.check)
        written = write(setting, known, verdicts, WHO)
    return {
        "changed": any(one["changed"] for one in written.folders),
        "controls": [said(one, args["limit"]) for each in verdicts.values() for one in each],
        "evidence": written.folders if args["evidence"] else None,
        "warnings": [*warnings, *written.warnings],
    }


def _vouched(args: Options) -> tuple[Vouched, list[str]]:
    """Return the checkpoints that are believed, and what of others is to be said. Raises Misconfigured."""
    from .._audit.vouched import Vouched, public_keys

    warnings: list[str] = []
    found = Vouched(public_keys(args["public_keys"] or (), who=WHO), warnings, WHO)
    for path in args["checkpoints"] or ():
        found.read(Path(path))
    return found, warnings
