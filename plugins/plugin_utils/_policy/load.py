# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From option `policy` to a compiled policy: the shipped one, or a file that is compiled once and then found again."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured
from .._actor import VERSION
from .cache import Compiled, recall, remember
from .default import DEFAULT
from .facts import FACTS
from .policy import Policy
from .weak_lists import check_list

if t.TYPE_CHECKING:
    from datetime import datetime

COMPILED = 2  # the format of the compiled form: what is kept of another one is compiled anew
LARGEST = 1 << 20
SHIPPED = "the shipped policy"


def load(path: str | None, now: datetime, option: str = "policy") -> Policy:
    """Return the policy that holds at a moment. Raises Misconfigured with file, line and rule of what is wrong."""
    return at(compiled_of(path, option), path, now)


def compiled_of(path: str | None, option: str = "policy") -> Compiled:
    """Return the compiled form of a policy, which an option names. Raises Misconfigured as `load` does."""
    if path is None:
        return DEFAULT
    text = _text(path, option)
    digest = hashlib.sha256(f"{VERSION}\0{COMPILED}\0{FACTS}\0{text}".encode()).hexdigest()
    found = recall(path, digest)
    if found is None:
        from .compile import compiled

        found = compiled(text, path)
        remember(path, digest, found)
    return found


def at(body: Compiled, path: str | None, now: datetime) -> Policy:
    """Return a compiled policy as it is at a moment; its path leads to what it names."""
    policy = Policy(body, path or SHIPPED, f"{now:%Y-%m-%d}")
    for one in policy.weak_lists:
        check_list(one, policy.source)
    return policy


def _text(path: str, option: str) -> str:
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise Misconfigured(f"policy: option {option}: {path} is no regular file; name a YAML file")
        raw = Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"policy: option {option}: {path} cannot be read ({error.strerror}); "
            f"correct the path, or leave {option} out{' for the shipped one' if option == 'policy' else ''}"
        ) from None
    try:
        if len(raw) > LARGEST:
            raise Misconfigured(f"policy: {path} has {len(raw)} bytes, more than {LARGEST}; shorten it")
        return raw.decode()
    except UnicodeDecodeError:
        raise Misconfigured(f"policy: {path} is not text in UTF-8; save it as such") from None
