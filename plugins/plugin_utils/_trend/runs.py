# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The runs that are kept: folders that are named by their moment, signed as evidence is, and never rewritten."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import typing as t

from ...module_utils._core.errors import Denied, Misconfigured
from .._controls import folder

if t.TYPE_CHECKING:
    from pathlib import Path

    from .._audit.checkpoint import Keys

WHO = "identity_trend"
RUNS = "runs"
FINDINGS, COUNTS, TREND = "findings.json", "counts.json", "trend.json"
_MOMENT = "%Y-%m-%dT%H%M%SZ"
_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d{6}Z)-[0-9a-f]{12}", re.ASCII)


class Run(t.NamedTuple):
    """One run that was kept, and was signed by a key that we know."""

    path: Path
    manifest: dict[str, t.Any]

    def content(self, name: str) -> t.Any:
        """Return one of its files, parsed."""
        return json.loads((self.path / name).read_text(encoding="utf-8"))


def named(now: dt.datetime) -> str:
    """Return what the name of a run begins with, so that names sort as runs happened."""
    return now.astimezone(dt.UTC).strftime(_MOMENT)


def all_of(directory: Path) -> list[Path]:
    """Return the folders of all runs, the first one first. Raises Misconfigured."""
    try:
        return sorted(one for one in (directory / RUNS).iterdir() if _NAME.fullmatch(one.name))
    except FileNotFoundError:
        return []
    except OSError as error:
        wrong = f"option directory: {directory} cannot be read ({error.strerror})"
        raise Misconfigured(f"{WHO}: {wrong}; let this user read it, or write another directory") from None


def last_of(directory: Path, keys: Keys) -> Run | None:
    """Return the last run, which nobody has changed since it was signed. Raises Denied."""
    found = all_of(directory)
    if not found:
        return None
    try:
        return Run(found[-1], folder.check(found[-1], keys, WHO))
    except folder.Altered as how:
        raise Denied(
            f"{WHO}: the last run, {found[-1]}, is not what was signed: {how}; find out by whom, move it away, and run "
            "again; where the key is another one now, name the public key of before in public_keys"
        ) from None


def too_old(directory: Path, keep: dt.timedelta | None, now: dt.datetime) -> list[Path]:
    """Return the runs that are older than what is kept; the last one stays, whatever its age."""
    if keep is None:
        return []
    return [one for one in all_of(directory)[:-1] if now - _moment(one.name) > keep]


def remove(path: Path) -> None:
    """Take a whole run away. Raises Misconfigured."""
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise Misconfigured(f"{WHO}: {path} cannot be removed ({error.strerror}); let this user do that") from None


def _moment(name: str) -> dt.datetime:
    found = _NAME.fullmatch(name)
    return dt.datetime.strptime(found[1] if found else "", _MOMENT).replace(tzinfo=dt.UTC)
