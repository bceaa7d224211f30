# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Runs `scepclient`: what it reads that is secret is memory, its words are read, and it never outlives us by much.

It is a session of its own that is killed whole when the time is over. Should we be killed, its connection to our relay
ends with us, and so does it; the memory goes with the last process that has it.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from .._core.errors import Misconfigured, first_line
from .._core.pki import first_in

PROGRAM = "scepclient"
LARGEST = 64 * 1024
LONGEST = 200
_INFO = re.compile(rb"failInfo: (\w{1,40})")
_PENDING = b"pkiStatus=PENDING"


class Files(t.NamedTuple):
    """What the program finds in its directory, by name: `secret` as links into memory, `public` as files."""

    secret: t.Mapping[str, bytes]
    public: t.Mapping[str, bytes]


class Ended(t.NamedTuple):
    """`how` it ended: granted, pending, refused or failed; with `certificate` (DER), failInfo, last words, or late."""

    how: str
    certificate: bytes | None = None
    info: str = ""
    words: str = ""
    late: bool = False


def find() -> str:
    """Return where the program is on this host. Raises Misconfigured."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise Misconfigured(
            f"host: {PROGRAM} is not on this host, and issuer scep needs it there; install it: package scep of Debian "
            "and Ubuntu, elsewhere from github.com/micromdm/scep into a directory of PATH"
        )
    if not hasattr(os, "memfd_create"):
        raise Misconfigured(f"host: {PROGRAM} would need its key on the disk: issuer scep is for hosts with Linux")
    return str(Path(found).absolute())


def run(argv: t.Sequence[str], directory: Path, files: Files, until: float) -> Ended:
    """Run it in a directory, where it finds the files, until a moment of time.monotonic. Raises Misconfigured."""
    held: list[int] = []
    try:
        for name, content in files.secret.items():
            held.append(_in_memory(name, content))
            (directory / name).symlink_to(f"/proc/self/fd/{held[-1]}")
        for name, content in files.public.items():
            (directory / name).write_bytes(content)
        code, words, late = _run(argv, directory, held, until)
    finally:
        for descriptor in held:
            os.close(descriptor)
    if _PENDING in words:
        return Ended("pending")
    if code == 0:
        return _granted(directory / "client.pem")
    info = _INFO.search(words)
    if info:
        return Ended("refused", info=info[1].decode())
    killed = f"it was killed by signal {abs(code)}" if code is not None and code < 0 else ""
    return Ended("failed", words=killed or _last(words), late=late)


def _granted(path: Path) -> Ended:
    try:
        certificate = first_in(path.read_bytes())
    except OSError as error:
        return Ended("failed", words=first_line(error))
    return Ended("granted", certificate) if certificate else Ended("failed", words="it wrote no certificate")


def _in_memory(name: str, content: bytes) -> int:
    descriptor: int = getattr(os, "memfd_create")(name)  # noqa: B009 - not every system has it
    rest = content
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return descriptor


def _run(argv: t.Sequence[str], directory: Path, held: t.Sequence[int], until: float) -> tuple[int | None, bytes, bool]:
    """Return its exit code, None where it was killed, its words, and whether it was late."""
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and no argument that a host or a server made
            argv, cwd=directory, env={}, pass_fds=held, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except OSError as error:
        raise Misconfigured(f"host: {argv[0]} cannot be run: {first_line(error)}; install it anew") from None
    try:
        words, late = _words(process, until)
        return (None if late or _PENDING in words else process.wait(max(0.1, until - time.monotonic()))), words, late
    except subprocess.TimeoutExpired:
        return None, words, True
    finally:
        _kill(process)


def _words(process: subprocess.Popen[bytes], until: float) -> tuple[bytes, bool]:
    """Return what it says until it ends, or says that it would wait; and whether the time was over before."""
    output, words = t.cast("t.IO[bytes]", process.stdout).fileno(), b""
    while _PENDING not in words:
        if not select.select([output], [], [], max(0.0, until - time.monotonic()))[0]:
            return words, True
        said = os.read(output, 4096)
        if not said:
            break
        words = (words + said)[-LARGEST:]
    return words, False


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End its group and reap it: it is ours until then, so nobody else can have its number."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    t.cast("t.IO[bytes]", process.stdout).close()


def _last(words: bytes) -> str:
    lines = ["".join(one if one.isprintable() else " " for one in line) for line in _lines(words)]
    return next((line.strip()[:LONGEST] for line in reversed(lines) if line.strip()), "")


def _lines(words: bytes) -> list[str]:
    return words.decode("utf-8", "replace").splitlines()
