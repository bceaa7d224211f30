# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A file that checkpoints are added to, one a line."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured, Unavailable
from ...module_utils._host.safe_files import write_all
from .._durable import sync_names

LARGEST = 1 << 30
"""Bytes that are read of a file."""
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class FileReceiver:
    """The port Receiver over `{path}`."""

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Keep the path."""
        self.path = Path(options["path"])
        self.place = f"file {self.path}"

    def kept(self) -> str | None:
        """Return what is in the file; None where there is none. Raises Misconfigured."""
        return text_of(self.path, f"identity_audit: {self.place}") if self.path.exists() else None

    def send(self, signed: str) -> None:
        """Add a line, and make it durable. Raises Unavailable."""
        try:
            descriptor = os.open(self.path, _APPEND, 0o644)
            try:
                write_all(descriptor, self._break() + signed.encode() + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            sync_names(self.path.parent)
        except OSError as error:
            raise Unavailable(
                f"identity_audit: {self.place} could not be written ({error.strerror}); let this user add to it, and "
                "run again"
            ) from None

    def _break(self) -> bytes:
        """Return what ends a line that was cut off, as on a disk that was full."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            return b"" if file.read() in (b"", b"\n") else b"\n"


def text_of(path: Path, who: str) -> str:
    """Return what is in a file, as text; `who` speaks. Raises Misconfigured."""
    try:
        if not path.is_file():
            raise Misconfigured(f"{who}: {path} is no file that is there; correct it")
        if path.stat().st_size > LARGEST:
            raise Misconfigured(f"{who}: {path} is larger than {LARGEST >> 20} MiB; put what is old into another file")
        return path.read_bytes().decode("ascii", "replace")
    except OSError as error:
        raise Misconfigured(f"{who}: {path} cannot be read ({error.strerror}); let this user read it") from None
