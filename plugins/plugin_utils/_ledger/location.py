# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the ledger is: from the option `ledger` to a path, or why not. No answer repeats what may hold a password."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path
from urllib.parse import unquote

from ...module_utils._core.errors import Misconfigured

if t.TYPE_CHECKING:
    from collections.abc import Mapping

REMEDY = "set option ledger to sqlite:////absolute/path, or to postgresql://host/database"


def path_of(url: str) -> Path:
    """Return the path in `sqlite:////absolute/path` (percent-encoding allowed)."""
    scheme, colon, rest = url.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        message = f"ledger: option ledger is not a URL; {REMEDY}"
        raise Misconfigured(message)
    refuse_password(url)
    if scheme.lower() != "sqlite":
        raise Misconfigured(_refusal(scheme.lower()))
    if not rest.startswith("////") or "?" in rest or "#" in rest or "%00" in rest or "\0" in rest:
        message = f"ledger: option ledger has no absolute path, or has parameters after it; {REMEDY} (four slashes)"
        raise Misconfigured(message)
    return Path(os.path.normpath("/" + unquote(rest).lstrip("/")))


def refuse_password(url: str) -> None:
    """Raise Misconfigured for a password inside a URL: URLs stand in logs and in lists of processes."""
    within = "[^/?#]*" if url.lower().startswith("sqlite:") else "[^@]*"  # a path may have both signs, a password any
    authority = re.match(f"[^:]*://{within}:{within}@", url)
    if authority or re.search(r"[?&](ssl)?passw(or)?d=", url, re.IGNORECASE):
        message = (
            "ledger: option ledger has a password inside its URL; take it out, "
            "and write it as ledger_password or ledger_password_file"
        )
        raise Misconfigured(message)


def _refusal(scheme: str) -> str:
    if scheme in ("postgresql", "postgres"):
        return f"ledger: option ledger names PostgreSQL, and only a file can be used here; {REMEDY}"
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        return f"ledger: option ledger names a driver of its own, {scheme}; write postgresql://host/database (or sqlite:////absolute/path)"
    return f"ledger: option ledger has the unknown scheme {scheme}; {REMEDY}"


def default_path(environment: Mapping[str, str]) -> Path:
    """Return the place in the user's state directory (XDG Base Directory Specification); refused where it vanishes."""
    job = ephemeral(environment)
    if job:
        message = (
            f"ledger: option ledger is not set, and the default would vanish with this {job}; "
            f"{REMEDY} on a volume that outlives it"
        )
        raise Misconfigured(message)
    state = environment.get("XDG_STATE_HOME", "")
    home = environment.get("HOME", "")
    if os.path.isabs(state):  # noqa: PTH117 - the specification: a relative one is ignored
        return Path(state) / "keystead" / "ledger.sqlite"
    if os.path.isabs(home):  # noqa: PTH117
        return Path(home) / ".local" / "state" / "keystead" / "ledger.sqlite"
    message = f"ledger: option ledger is not set, and neither HOME nor XDG_STATE_HOME says where to keep it; {REMEDY}"
    raise Misconfigured(message)


def ephemeral(environment: Mapping[str, str]) -> str | None:
    """Say in which kind of job this runs whose home directory is thrown away, if it does.

    AWX sets AWX_PRIVATE_DATA_DIR for every job. ansible-runner, and so ansible-navigator, sets AWX_ISOLATED_DATA_DIR:
    below /runner inside an execution environment, anywhere else when there is no container (then HOME is a real one);
    releases before 2.4 set LAUNCHED_BY_RUNNER in the container as well. A container as such is no reason.
    """
    if environment.get("AWX_PRIVATE_DATA_DIR"):
        return "AWX job (AWX_PRIVATE_DATA_DIR is set)"
    if environment.get("AWX_ISOLATED_DATA_DIR", "").startswith("/runner/"):
        return "execution environment (AWX_ISOLATED_DATA_DIR is below /runner)"
    if environment.get("LAUNCHED_BY_RUNNER"):
        return "execution environment (LAUNCHED_BY_RUNNER is set)"
    return None


def make_directory(directory: Path) -> None:
    """Make the directory of the default ledger, for its user alone."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"ledger: option ledger is not set, and its default directory {directory} cannot be made "
            f"({error.strerror}); {REMEDY}"
        )
        raise Misconfigured(message) from error
