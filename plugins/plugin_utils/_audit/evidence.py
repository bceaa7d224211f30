# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Verifies folders of evidence, whoever wrote them: what of them is not what was signed."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured
from .._controls import folder
from .checkpoint import WHO

if t.TYPE_CHECKING:
    from .checkpoint import Keys

Result = dict[str, t.Any]
_SHOWN = ("framework", "day", "at", "ledger", "event", "hash")


def verified(said: t.Sequence[str], keys: Keys) -> Result:
    """Return what the task returns of folders, or of all folders in directories of them. Raises Misconfigured."""
    if not keys:
        raise Misconfigured(
            f"{WHO}: option evidence: nobody said by whom it may be signed; name in public_keys the key that you had "
            "before"
        )
    found = [_one(path, keys) for one in said for path in _folders(Path(one))]
    wrong = [f"{one['path']}: {one['broken']}" for one in found if one["broken"] is not None]
    result: Result = {"changed": False, "whole": not wrong, "broken": next(iter(wrong), None), "evidence": found}
    if wrong:
        more = f" (and {len(wrong) - 1} more folders)" if wrong[1:] else ""
        result |= {"failed": True, "msg": f"{WHO}: evidence is not what was signed: {wrong[0]}{more}"}
    return result


def _folders(path: Path) -> list[Path]:
    """Return a folder itself, or all that was written into a directory. Raises Misconfigured."""
    found = [path] if (path / folder.MANIFEST).exists() else sorted(path.glob("*/[!.]*"))
    if not found:
        raise Misconfigured(
            f"{WHO}: option evidence: {path} holds no evidence; name a folder of it, or the directory that "
            "identity_policy or identity_incident writes to"
        )
    return found


def _one(path: Path, keys: Keys) -> Result:
    try:
        said, broken = folder.check(path, keys, WHO), None
    except folder.Altered as how:
        said, broken = {}, str(how)
    return {"path": str(path), "broken": broken, **{name: said.get(name) for name in _SHOWN}}
