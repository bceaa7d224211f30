# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who acts: for the record, and so that a lease whose run is dead can be told from one whose run is at work."""

from __future__ import annotations

import os
import socket
import typing as t
from pathlib import Path

VERSION = "0.1.0"
_STARTED = 19  # of what _stat returns: starttime
_ENDED = ("Z", "X", "x")  # killed, and its parent has not asked yet: in a container perhaps never


def actor(playbook: str | None) -> dict[str, str | None]:
    """Return who acts, for the events of the ledger. The AWX job is what the environment claims."""
    return {
        "operating_system_user": _user(),
        "controller": socket.gethostname(),
        "awx_job": os.environ.get("AWX_JOB_ID") or os.environ.get("JOB_ID"),
        "playbook": playbook,
        "collection_version": VERSION,
    }


def holder() -> dict[str, t.Any]:
    """Return what tells this process from any other, on this controller and elsewhere."""
    pid = os.getpid()
    return {"controller": socket.gethostname(), "boot": _boot(), "pid": pid, "started": _started(pid)}


def is_dead(other: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a holder was a process of this controller that has ended. Of others nobody here can tell.

    What this very process holds was left by a task before this one: a process runs one at a time.
    """
    mine = holder()
    pid = other.get("pid")
    same = all(other.get(key) == mine[key] for key in ("controller", "boot"))
    if isinstance(pid, bool) or not isinstance(pid, int) or pid <= 0 or not mine["boot"] or not same:
        return False
    fields = _stat(pid)
    if not fields:
        return not _exists(pid)
    return pid == mine["pid"] or fields[0] in _ENDED or fields[_STARTED] != other.get("started")


def _exists(pid: int) -> bool:
    """Tell whether a process is there that /proc may hide (proc(5), hidepid)."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid())


def _boot() -> str:
    """Return what names this boot and this process namespace; empty where the system has no /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return boot + " " + str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process began, in clock ticks since boot; empty when it is gone."""
    fields = _stat(pid)
    return fields[_STARTED] if fields else ""


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on (proc(5), field 3); none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
