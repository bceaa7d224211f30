# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The lease that keeps a second controller away from an identity: rule W5 of docs/design.md."""

from __future__ import annotations

import json
import os
import typing as t

from .._core.errors import Denied, Pending
from .locks import locked
from .safe_files import facts, read_file, write_all

NAME = "lease.json"
_LIMIT = 1 << 16


class Lease(t.NamedTuple):
    """Who may act on an identity, and until when, in seconds since the epoch by the controller's clock."""

    token: str
    until: float
    holder: t.Mapping[str, t.Any]


class Busy(Pending):
    """Another run has the lease."""

    def __init__(self, lease: Lease, now: float) -> None:
        """Keep the standing lease, and say who has it for how long."""
        self.lease = lease
        seconds = max(lease.until - now, 0.0)
        holder = ", ".join(f"{key} {value}" for key, value in lease.holder.items()) or "unknown"
        super().__init__(
            f"host: another run works on this identity ({holder}) for at most {seconds:.0f} s more; run again then",
            seconds,
        )


def standing(dir_fd: int) -> Lease | None:
    """Return the lease that is written in the directory of an identity, expired or not; None without a readable one."""
    return _parsed(read_file(dir_fd, NAME, _LIMIT) or b"")


def take(dir_fd: int, *, holder: t.Mapping[str, t.Any], now: float, seconds: float, broken: str | None = None) -> Lease:
    """Take the lease for `seconds`, or raise Busy while another one stands, unless its token is `broken`.

    It is written in place and not synced: who dies while writing had no lease yet, and what is cut short, or lost
    with the power, stands for nothing.
    """
    with locked(dir_fd, NAME) as fd:
        there = _parsed(os.pread(fd, _LIMIT, 0))
        if there is not None and there.until > now and there.token != broken:
            raise Busy(there, now)
        lease = Lease(os.urandom(16).hex(), now + seconds, dict(holder))
        _write(fd, {"token": lease.token, "until": lease.until, "holder": lease.holder})
    return lease


def _write(fd: int, fields: dict[str, t.Any]) -> None:
    """Replace the content; to empty the file first would make ext4 flush it to the disk when it is closed."""
    content = json.dumps(fields).encode()
    write_all(fd, content)
    os.ftruncate(fd, len(content))


def held(dir_fd: int, token: str, now: float) -> None:
    """Raise Denied unless the lease with this token still stands."""
    there = standing(dir_fd)
    if there is None or there.token != token:
        raise Denied("host: the lease of this identity was lost to another run; nothing was installed, run again")
    if there.until <= now:
        raise Denied("host: the lease of this identity has expired; nothing was installed, run again")


def release(dir_fd: int, token: str) -> None:
    """Remove the lease when it is the one with this token, or stands for nothing."""
    if facts(dir_fd, NAME) is None:
        return
    with locked(dir_fd, NAME) as fd:
        there = _parsed(os.pread(fd, _LIMIT, 0))
        if there is None or there.token == token:
            os.unlink(NAME, dir_fd=dir_fd)


def _parsed(content: bytes) -> Lease | None:
    """Return what was written, or None for anything else: cut short, empty, or by another hand."""
    try:
        fields = json.loads(content)
        lease = Lease(str(fields["token"]), float(fields["until"]), dict(fields["holder"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return lease if lease.until < float("inf") else None
