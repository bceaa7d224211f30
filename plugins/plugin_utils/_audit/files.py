# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Files that an audit writes: whole or not at all, for this user alone."""

from __future__ import annotations

import contextlib
import glob
import gzip
import hashlib
import os
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured
from .._durable import sync_names
from .._ledger.walk import Point, Walk, walked
from . import records
from .checkpoint import WHO
from .copy import Writer, ledger_of

if t.TYPE_CHECKING:
    from .._ledger.chain import Readable

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_copy(ledger: Readable, path: Path, until: int) -> Point:
    """Write the events of a ledger up to one of them, with their checkpoints; return where they end.

    Raises Broken where one of them is not what was written, and Misconfigured.
    """
    staged = path.with_name(f".{path.name}.{os.getpid()}.new")
    start = records.start(ledger)
    try:
        _check_may_be_replaced(path, str(ledger.id))
        _clear_up(path)
        with os.fdopen(os.open(staged, _CREATE, 0o600), "wb") as raw:
            with contextlib.ExitStack() as stack:
                packed = gzip.GzipFile("", "wb", 6, raw, 0) if path.suffix == ".gz" else None
                file = t.cast("t.IO[bytes]", stack.enter_context(packed) if packed else raw)
                last = _written(ledger, Writer(file, str(ledger.id), start), start, until)
            raw.flush()
            os.fsync(raw.fileno())
        staged.rename(path)
        sync_names(path.parent)
    except OSError as error:
        raise Misconfigured(
            f"{WHO}: {path} cannot be written ({error.strerror}); create its directory, and let this user write there"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            staged.unlink()
    return last


def _written(ledger: Readable, writer: Writer, start: Point, until: int) -> Point:
    signed = {one.seq: one.signed for one in records.all_signed(ledger)}
    walk = Walk(start)
    for entry, found in walked(ledger, walk):
        if entry.seq > until:
            break
        writer.event(entry, found)
        last = Point(entry.seq, found)
        if entry.seq in signed:
            writer.checkpoint(signed[entry.seq])
    else:
        last = walk.at
    writer.end(last)
    return last


def _check_may_be_replaced(path: Path, ledger: str) -> None:
    """Refuse to write where something else is than a copy of this ledger. Raises Misconfigured."""
    if path.exists() and (not path.is_file() or ledger_of(path) != ledger):
        raise Misconfigured(f"{WHO}: {path} is there, and is no copy of this ledger; write another path, or remove it")


def _clear_up(path: Path) -> None:
    """Remove what runs left beside a file that were killed."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.new"):
        process = left.name.removeprefix(f".{path.name}.").removesuffix(".new")
        if process.isdecimal() and not Path("/proc", process).exists():
            left.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
