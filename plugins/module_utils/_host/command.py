# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Runs a command that the task declared: no shell, no input, an end in time, and never a pipe to hang on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import tempfile
import time
import typing as t
from dataclasses import dataclass

from .._core.errors import first_line
from .text import last_line

SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
KEPT = 2048
LARGEST = 1 << 20
LOOK_EVERY = 0.05
GRACE = 0.5


@dataclass(frozen=True)
class Ran:
    """How a command ended: `problem` is None after exit 0, `exit_code` when it never ran or had to be killed."""

    exit_code: int | None
    last_line: str = ""
    problem: str | None = None
    timed_out: bool = False


def run(argv: t.Sequence[str], timeout: float) -> Ran:
    """Run `argv` for at most `timeout` seconds, in a session of its own that is killed whole when they are over.

    The output goes to an unlinked file, since a daemon that keeps its standard output would hold a pipe open. Messages
    name the program alone: its arguments may be confidential.
    """
    try:
        with tempfile.TemporaryFile() as output:
            return _run(argv, timeout, output.fileno())
    except OSError as error:
        return Ran(None, problem=f"no temporary file for the output of {argv[0]}: {first_line(error)}")


def _run(argv: t.Sequence[str], timeout: float, output: int) -> Ran:
    # Appending is what lets `_cut` cut the file under a running command.
    fcntl.fcntl(output, fcntl.F_SETFL, os.O_APPEND)
    environment = _environment()
    try:
        process = subprocess.Popen(  # noqa: S603 - the argv is the task's own, C3
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    except (OSError, ValueError) as error:
        return Ran(None, problem=_not_started(argv[0], error))
    exit_code, earlier = _wait(process, timeout, output)
    said = last_line(earlier + _tail(output))
    if exit_code is None:
        problem = f"{argv[0]} did not end within {timeout:.3g} s and was killed"
        return Ran(None, said, problem + (f": {said}" if said else ""), timed_out=True)
    return Ran(exit_code, said, _problem(argv[0], exit_code, said))


def _environment() -> dict[str, str]:
    """Return ours, with the system's directories at the end of PATH and without relative ones."""
    ours = [entry for entry in os.environ.get("PATH", "").split(os.pathsep) if entry.startswith("/")]
    return {**os.environ, "PATH": os.pathsep.join(dict.fromkeys([*ours, *SYSTEM_PATH]))}


def _not_started(program: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return (
            f"the interpreter of {program} does not exist" if os.path.exists(program) else f"{program} does not exist"
        )
    if isinstance(error, PermissionError):
        return f"{program} is not executable"
    return f"{program} cannot be run: {first_line(error)}"


def _problem(program: str, exit_code: int, said: str) -> str | None:
    if exit_code == 0:
        return None
    end = f"exited with {exit_code}" if exit_code > 0 else f"was killed by signal {-exit_code}"
    return f"{program} {end}" + (f": {said}" if said else "")


def _wait(process: subprocess.Popen[bytes], timeout: float, output: int) -> tuple[int | None, bytes]:
    """Return the exit code, or None after the whole group had to be killed, and the end of what was cut off."""
    deadline, earlier = time.monotonic() + timeout, b""
    while True:
        left = deadline - time.monotonic()
        try:
            return process.wait(max(0.0, min(LOOK_EVERY, left))), earlier
        except subprocess.TimeoutExpired:
            if left <= 0:
                _kill(process)
                return None, earlier
            earlier = _cut(output) or earlier


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the group; its leader is reaped last, so that nobody else can have got its number."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
        time.sleep(GRACE)
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)


def _tail(output: int) -> bytes:
    return os.pread(output, KEPT, max(0, os.fstat(output).st_size - KEPT))


def _cut(output: int) -> bytes:
    """Cut what a talkative command has written, so that it cannot fill the disk, and return its end."""
    if os.fstat(output).st_size <= LARGEST:
        return b""
    end = _tail(output)
    os.ftruncate(output, 0)
    return end
