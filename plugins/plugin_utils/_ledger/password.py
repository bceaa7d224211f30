# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What opens a ledger in PostgreSQL. It is in no message, and goes to libpq only."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured
from .target import is_postgresql


def password_of(options: t.Mapping[str, t.Any]) -> str | None:
    """Return what `ledger_password` or the first line of `ledger_password_file` says; None where neither is given.

    Then libpq looks for one itself, in PGPASSWORD and ~/.pgpass. Raises Misconfigured when both are given, when what
    is given is empty, and where there is nothing to open: SQLite has no password.
    """
    said, path = options.get("ledger_password"), options.get("ledger_password_file")
    if said is None and path is None:
        return None
    option = "ledger_password" if path is None else "ledger_password_file"
    if said is not None and path is not None:
        raise Misconfigured("ledger: both ledger_password and ledger_password_file are given; keep one of them")
    if not is_postgresql(options.get("ledger") or ""):
        raise Misconfigured(
            f"ledger: option {option} is given, and option ledger names no PostgreSQL database; "
            "leave it out, an SQLite file has no password"
        )
    found = str(said) if path is None else _first_line(path)
    if not found:
        raise Misconfigured(f"ledger: option {option} is empty; leave it out where the server asks for no password")
    return found


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except OSError as error:
        said = error.strerror
    except ValueError:
        said = "it is no text in UTF-8"
    raise Misconfigured(
        f"ledger: option ledger_password_file: {path} cannot be read ({said}); "
        "write the path of a file on the controller that this user may read"
    )
