# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Runs Python in forks of a warm process, and has strace break single system calls of theirs.

A fork has everything imported and waits until strace has attached, so that the calls counted are those of its work.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import re
import signal
import struct
import subprocess
import sys
import tempfile
import traceback
import typing as t
from dataclasses import dataclass
from pathlib import Path

COLLECTION = Path(__file__).parents[2]
BASE = COLLECTION.parents[2]
PACKAGE = "ansible_collections.keystead.identity"
END = "/end-of-the-work"

# Every call by which these programs change a file system; `openat` only counts where it creates.
MUTATING = (
    "openat", "write", "writev", "pwrite64", "ftruncate", "truncate", "fallocate", "fsync", "fdatasync", "rename",
    "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "mkdir", "mkdirat",
    "rmdir", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown", "setxattr", "fsetxattr",
)  # fmt: skip
_CREATES = re.compile(r"O_CREAT|O_TMPFILE|O_TRUNC")
_LINE = re.compile(r"(\d*) *(\w+)\(")


@dataclass(frozen=True)
class Call:
    """A system call of a recorded run: the `nth` (from 1) of its `name`, and how strace shows it."""

    name: str
    nth: int
    text: str


@dataclass(frozen=True)
class Trace:
    """What strace does with a process: write its calls to `log`, and break one of them.

    `act` is strace's word: `signal=KILL` (the call is not made any more), `error=EIO`, `retval=1`. With `follow` its
    threads and programs are seen as well, and the call is broken in each of them: files are not synced by one alone.
    """

    log: str
    call: Call | None = None
    act: str = ""
    follow: bool = False

    def argv(self) -> list[str]:
        """Return the command that does it, but for the process."""
        broken = ["-e", f"inject={self.call.name}:{self.act}:when={self.call.nth}"] if self.call else []
        traced = ",".join((*MUTATING, "access", "faccessat", "faccessat2", *(["execve"] if self.follow else [])))
        follow = ["-f"] if self.follow else []
        return ["strace", *follow, "-y", "-s", "48", "-o", self.log, "-e", f"trace={traced}", *broken]


@dataclass(frozen=True)
class Ended:
    """How a fork ended: what its work returned, or the traceback of what it raised, or the signal that killed it."""

    value: t.Any = None
    signal: int = 0
    error: str = ""


def calls(log: str | Path) -> list[Call]:
    """Return the calls of a trace that change a file system, in order, as far as the end of the work.

    Of another program that was followed, only its start (execve) is among them.
    """
    lines = Path(log).read_text(encoding="utf-8", errors="replace").partition(END)[0].splitlines()
    made = [(found[1], found[2], line) for line in lines if (found := _LINE.match(line))]
    programs = {process for process, name, _line in made if name == "execve"}
    found: list[Call] = []
    counted: dict[tuple[str, str], int] = {}
    for process, name, line in made:
        counted[process, name] = counted.get((process, name), 0) + 1
        if name == "execve" if process in programs else name in MUTATING and _changes_something(name, line):
            found.append(Call(name, counted[process, name], line))
    return found


def _changes_something(name: str, line: str) -> bool:
    return "<pipe:[" not in line and (name != "openat" or _CREATES.search(line) is not None)


def in_fork(work: t.Callable[[], t.Any], trace: Trace | None = None) -> Ended:
    """Do the work in a fork, which strace may break."""
    answer_in, answer_out = os.pipe()
    go_in, go_out = os.pipe()
    child = os.fork()
    if not child:
        os.close(go_out)
        if os.read(go_in, 1):
            _work(work, answer_out)
        os._exit(1)  # nobody is left who waits for it
    os.close(answer_out)
    os.close(go_in)
    tracer = _attached(trace, child) if trace else None
    os.write(go_out, b"x")
    os.close(go_out)
    with os.fdopen(answer_in, "rb") as answer:
        pickled = answer.read()
    _pid, status = os.waitpid(child, 0)
    if tracer:
        tracer.communicate()
    if os.WIFSIGNALED(status):
        return Ended(signal=os.WTERMSIG(status))
    ended: Ended = pickle.loads(pickled) if pickled else Ended(error="it ended without an answer")  # noqa: S301 - our own
    return ended


def _work(work: t.Callable[[], t.Any], answer: int) -> t.NoReturn:
    try:
        ended = Ended(work())
    except BaseException:  # noqa: BLE001 - the fork must not go on as its parent
        ended = Ended(error=traceback.format_exc())
    os.access(END, os.F_OK)
    with os.fdopen(answer, "wb") as stream:
        pickle.dump(ended, stream)
    os._exit(0)


def _attached(trace: Trace, process: int) -> subprocess.Popen[bytes]:
    tracer = subprocess.Popen([*trace.argv(), "-p", str(process)], stderr=subprocess.PIPE)
    said = tracer.stderr.readline() if tracer.stderr else b""
    if b"attached" not in said:
        os.kill(process, signal.SIGKILL)
        raise RuntimeError(said.decode())
    return tracer


class ForkServer:
    """A warm process that does jobs in forks of its own, one after the other; `prefix` is a command that starts it."""

    def __init__(self, *prefix: str) -> None:
        """Keep how it is started."""
        self._prefix = prefix

    def __enter__(self) -> t.Self:
        """Start it."""
        program = f"from {__name__} import serve; serve()"
        self._process = subprocess.Popen(
            [*self._prefix, sys.executable, "-B", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(BASE), "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        """End it, by the end of its input."""
        self._process.communicate()

    def start(self, work: t.Callable[..., t.Any], *arguments: t.Any, trace: Trace | None = None) -> None:
        """Have a job done; its function must be importable."""
        stream = t.cast("t.IO[bytes]", self._process.stdin)
        _put(stream, (work, arguments, trace))

    def ended(self) -> Ended:
        """Wait for its end."""
        found: Ended = _get(t.cast("t.IO[bytes]", self._process.stdout))
        return found

    def run(self, work: t.Callable[..., t.Any], *arguments: t.Any, trace: Trace | None = None) -> Ended:
        """Have a job done, and wait for it."""
        self.start(work, *arguments, trace=trace)
        return self.ended()


def serve() -> None:
    """Do jobs until the input ends."""
    _warm_up()
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with contextlib.suppress(EOFError):
        while True:
            work, arguments, trace = _get(jobs)
            _put(answers, in_fork(lambda work=work, arguments=arguments: work(*arguments), trace))  # type: ignore[misc]


def _warm_up() -> None:
    """Import what either half may import, as a process that has run once would have it in its caches."""
    for half in ("module_utils", "plugin_utils"):
        for path in sorted((COLLECTION / "plugins" / half).rglob("*.py")):
            name = ".".join(path.relative_to(COLLECTION).with_suffix("").parts)
            importlib.import_module(f"{PACKAGE}.{name.removesuffix('.__init__')}")
    tempfile.gettempdir()


def _put(stream: t.IO[bytes], value: t.Any) -> None:
    content = pickle.dumps(value)
    stream.write(struct.pack("!I", len(content)) + content)
    stream.flush()


def _get(stream: t.IO[bytes]) -> t.Any:
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError
    return pickle.loads(stream.read(*struct.unpack("!I", head)))  # noqa: S301 - our own
