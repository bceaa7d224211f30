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
from .cache import recall, remember
from .default import DEFAULT
from .facts import FACTS
from .policy import Policy

if t.TYPE_CHECKING:
    from datetime import datetime

COMPILED = 2  # the format of the compiled form: what is kept of another one is compiled anew
LARGEST = 1 << 20
SHIPPED = "the shipped policy"


def load(path: str | None, now: datetime) -> Policy:
    """Return the policy that holds at a moment. Raises Misconfigured with file, line and rule of what is wrong."""
    today = f"{now:%Y-%m-%d}"
    if path is None:
        return Policy(DEFAULT, SHIPPED, today)
    text = _text(path)
    digest = hashlib.sha256(f"{VERSION}\0{COMPILED}\0{FACTS}\0{text}".encode()).hexdigest()
    found = recall(path, digest)
    if found is None:
        from .compile import compiled

        found = compiled(text, path)
        remember(path, digest, found)
    policy = Policy(found, path, today)
    beside = Path(path).absolute().parent
    policy.weak_lists = [str(beside / Path(one).expanduser()) for one in policy.weak_lists]
    for one in policy.weak_lists:
        _check_list(one, path)
    return policy


def known_weak(lists: t.Sequence[str]) -> frozenset[str]:
    """Read lists of weak keys: a SPKI SHA-256 digest in hexadecimal a line; what follows it, and #, is a comment."""
    found = set()
    for path in lists:
        try:
            with Path(path).open(encoding="ascii", errors="replace") as lines:
                found |= {line.split(None, 1)[0].lower() for line in lines if line.strip() and line[0] != "#"}
        except OSError as error:
            raise Misconfigured(f"policy: weak_keys.lists: {path} cannot be read ({error.strerror}); make it") from None
    if any(len(one) != 64 for one in found):
        raise Misconfigured(
            f"policy: weak_keys.lists: {', '.join(lists)} has a line that begins with no SHA-256 digest; correct it"
        )
    return frozenset(found)


def _check_list(one: str, path: str) -> None:
    if not Path(one).is_file():
        raise Misconfigured(f"policy: {path}: weak_keys.lists: there is no file {one}; put the list there")


def _text(path: str) -> str:
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise Misconfigured(f"policy: option policy: {path} is no regular file; name a YAML file")
        raw = Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"policy: option policy: {path} cannot be read ({error.strerror}); "
            "correct the path, or leave policy out for the shipped one"
        ) from None
    try:
        if len(raw) > LARGEST:
            raise Misconfigured(f"policy: {path} has {len(raw)} bytes, more than {LARGEST}; shorten it")
        return raw.decode()
    except UnicodeDecodeError:
        raise Misconfigured(f"policy: {path} is not text in UTF-8; save it as such") from None
