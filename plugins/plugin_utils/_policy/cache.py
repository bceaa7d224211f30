# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Compiled policies, kept in the user's cache directory (XDG Base Directory Specification).

So a run with nothing to do loads neither YAML nor JSON Schema. Whatever is odd about a cached file, it is not used; a
cache that cannot be written only costs time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import typing as t
from pathlib import Path

Compiled = dict[str, t.Any]
LARGEST = 16 << 20


def recall(path: str, digest: str) -> Compiled | None:
    """Return the compiled form of a policy with this digest (of its text and of our version), if it is kept."""
    directory = _directory()
    if directory is None:
        return None
    try:
        descriptor = os.open(_file(directory, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not _is_ours(found) or found.st_size > LARGEST:
                return None
            kept = json.loads(file.read())
        body: Compiled = kept["policy"]
        return body if kept["digest"] == digest and kept["sum"] == _sum(body) else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def remember(path: str, digest: str, policy: Compiled) -> None:
    """Keep the compiled form in the place of what was kept of this path, for its user alone."""
    directory = _directory()
    if directory is None:
        return
    with contextlib.suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(directory.lstat()):
            return
        file = _file(directory, path)
        draft = file.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                json.dump({"digest": digest, "sum": _sum(policy), "policy": policy}, out)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)


def _directory() -> Path | None:
    cache, home = os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", "")
    if os.path.isabs(cache):  # noqa: PTH117 - the specification: a relative one is ignored
        return Path(cache) / "keystead" / "policy"
    return Path(home) / ".cache" / "keystead" / "policy" if os.path.isabs(home) else None  # noqa: PTH117


def _file(directory: Path, path: str) -> Path:
    return directory / f"{hashlib.sha256(os.path.abspath(path).encode()).hexdigest()[:32]}.json"  # noqa: PTH100


def _sum(policy: Compiled) -> str:
    return hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).hexdigest()


def _is_ours(found: os.stat_result) -> bool:
    """Tell whether nobody else can have written there."""
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o022
