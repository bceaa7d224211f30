# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether the next run could use a ledger. Nothing is made, migrated or written."""

from __future__ import annotations

import os
import typing as t

from ...module_utils._core.ports import Check
from .database import Database
from .migrations import version_of
from .schema import MIGRATIONS
from .writing import asked, hindrance

if t.TYPE_CHECKING:
    from pathlib import Path

    from .chain import Readable

_REMEDY = "let this user write the file and its directory, or set option ledger to another path"


def check_shared(place: str, ledger: Readable) -> Check:
    """Return what was found of a database that let itself be opened: this release can use its schema."""
    statement = f"SELECT (SELECT max(number) FROM migrations), {asked()}"  # noqa: S608 - ours
    ((version, *answer),) = ledger.read(statement)
    hindered = hindrance(answer)
    if hindered is None:
        return Check("ledger", "ok", f"{place} answers, and has schema {version}{_later(version)}")
    what, remedy = hindered
    return Check("ledger", "failed", f"{place} {what}", remedy)


def check_file(path: Path, *, made: bool) -> Check:
    """Return what was found at the path of an SQLite file; `made` says that a missing directory is made.

    Raises KeysteadError.
    """
    database = Database.read_only(path)
    if database is None:
        return _missing(path, made=made)
    try:
        version, newest = version_of(database), len(MIGRATIONS)
    finally:
        database.close()
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
        return Check("ledger", "failed", f"this user may not write {path}, or not in its directory", _REMEDY)
    found = f"{path} has schema {version}{_later(version)}"
    return Check("ledger", "ok", found if version >= newest else f"{found}, the next run makes it {newest}")


def _later(version: int) -> str:
    return f" of a later release, and this one ({len(MIGRATIONS)}) can use it" if version > len(MIGRATIONS) else ""


def _missing(path: Path, *, made: bool) -> Check:
    above = path.parent
    while made and not above.exists():
        above = above.parent
    if os.access(above, os.W_OK | os.X_OK):
        return Check("ledger", "ok", f"{path} does not exist yet, the first run makes it")
    if above.is_dir():
        return Check("ledger", "failed", f"{path} does not exist, and this user may not write in {above}", _REMEDY)
    return Check("ledger", "failed", f"{path} does not exist, nor does its directory", f"create the directory {above}")
