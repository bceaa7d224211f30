# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Secrets among options: said in place, in a file's first line, or in an environment variable; never repeated."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

from ..module_utils._core.errors import Misconfigured

_CREDENTIAL = re.compile(r"[!-~]{1,65536}", re.ASCII)  # what a header can hold


def given(
    options: t.Mapping[str, t.Any], names: t.Sequence[str], about: str, *, required: bool = True
) -> str | None:
    """Return which of these options is given. Raises Misconfigured where it is not exactly one, or at most one."""
    found = [name for name in names if options.get(name) is not None]
    if len(found) > 1 or (required and not found):
        wanted = f"exactly one of {', '.join(names)} is needed" if required else f"one of {', '.join(names)} is enough"
        raise Misconfigured(f"{about}: {wanted}, found {' and '.join(found) or 'none'}")
    return found[0] if found else None


def credential(options: t.Mapping[str, t.Any], name: str, about: str) -> str:
    """Return the secret that option `name` says, or leads to where it ends in _file or _env. Raises Misconfigured."""
    said, option = str(options[name]), f"{about}.{name}"
    if name.endswith("_file"):
        said = first_line(said, option).decode("ascii", "replace")
    elif name.endswith("_env"):
        said = os.environ.get(said, "")
    if not _CREDENTIAL.fullmatch(said):
        held = "the environment has no such variable, or " if name.endswith("_env") else ""
        raise Misconfigured(f"{option}: {held}what is there is empty or no credential; write one in printable ASCII")
    return said


def first_line(path: str, option: str, of: str = "") -> bytes:
    """Return the first line of a file on the controller. Raises Misconfigured, naming the option, and what it is of."""
    try:
        return Path(path).read_bytes().partition(b"\n")[0].rstrip(b"\r")
    except OSError as error:
        shown = f" {path}" if "/" in path else ""  # else somebody may have written the secret itself there
        raise Misconfigured(
            f"{option}{shown}{of} cannot be read ({error.strerror}); "
            "write the path of a file on the controller that this user may read"
        ) from None
