# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A listener that shows some tokens by HTTP, outlives the execution that began it, and never its time.

It is a child of its own: the answer of the execution must come back while it listens. It ends when its time is over,
by an alarm that only its mark in the store can delay, or when that mark is gone or is another's. It has no rights, no
files and no output: only the socket, and what the mark says that it shows. So runs that need one port at the same time
share one listener, and nobody's validator ever finds the port closed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import threading
import time
import typing as t

from .._core.errors import Misconfigured, Unavailable
from . import listening
from .listening import Mark
from .safe_files import facts, remove

_PREFIX = "/.well-known/acme-challenge/"
_LONGEST_REQUEST = 8192
_PATIENCE = 5.0  # seconds for one client
_PAUSE = 0.1
_NOBODY = 65534
_AT_ONCE = 64


def listen(records: int, port: int, contents: t.Mapping[str, str], seconds: float) -> None:
    """Begin to listen, or let the listener that is there show this as well for so long, and return at once.

    `records` is the directory of the store that has the mark; `contents` are key authorizations by their tokens, for
    all who need the port. The caller holds the lock of the records. Raises Misconfigured and Unavailable where the
    port cannot be had.
    """
    if _prolonged(records, port, contents, seconds):
        return
    remove(records, listening.name(port))
    server = _socket(port)
    mark = Mark(os.urandom(16).hex(), 0, seconds, contents)
    listening.write(records, port, mark)
    try:
        child = os.fork()
        if child == 0:
            _detached(server, records, port, mark)
        os.waitpid(child, 0)  # it ends at once, and leaves the listener to nobody
    finally:
        server.close()


def _prolonged(records: int, port: int, contents: t.Mapping[str, str], seconds: float) -> bool:
    """Tell a listener of ours what to show from now on; False where there is none that then does."""
    there = listening.read(records, port)
    if there is None:
        return False
    listening.write(records, port, there._replace(turn=there.turn + 1, seconds=seconds, contents=contents))
    until = time.monotonic() + 10 * _PAUSE
    token, content = next(iter(contents.items()), ("", ""))
    while time.monotonic() < until:
        said = _shown(port, token)
        if said is None:
            return False  # its time was over
        if said.endswith(content.encode()):
            return True
        time.sleep(_PAUSE)
    return False


def _shown(port: int, token: str) -> bytes | None:
    """Return the answer to a GET of a token; None where nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as asking:
            asking.sendall(f"GET {_PREFIX}{token} HTTP/1.0\r\n\r\n".encode())
            return b"".join(iter(lambda: asking.recv(4096), b""))
    except ConnectionRefusedError:
        return None
    except OSError:
        return b""


def _socket(port: int) -> socket.socket:
    until = time.monotonic() + 20 * _PAUSE
    while True:
        try:
            return _bound(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                remedy = "run as root, or name a port above 1023 that port 80 is led to"
                raise Misconfigured(f"host: port {port} cannot be listened on ({error.strerror}); {remedy}") from None
            if time.monotonic() > until:
                raise Unavailable(
                    f"host: port {port} is somebody else's; write webroot in the place of standalone_port, or stop it"
                ) from None
            time.sleep(_PAUSE)


def _bound(port: int) -> socket.socket:
    """Bind to both families where there are both."""
    family = socket.AF_INET6 if _has_ipv6() else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        found.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))  # noqa: S104 - validators come from anywhere
        found.listen(128)
    except BaseException:
        found.close()
        raise
    return found


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tried:
            tried.bind(("::", 0))
    except OSError:
        return False
    return True


def _detached(server: socket.socket, records: int, port: int, mark: Mark) -> t.NoReturn:
    """Become a process of its own and listen; never come back."""
    try:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        signal.setitimer(signal.ITIMER_REAL, mark.seconds)  # it ends then, whatever else goes on
        os.chdir("/")
        _let_go({server.fileno(), records})
        _give_up_rights()
        _serve(server, records, port, mark)
    except BaseException:  # noqa: BLE001 - nobody is there who could be told
        os._exit(1)
    os._exit(0)


def _let_go(kept: t.Collection[int]) -> None:
    """Close all that was inherited: Ansible waits until nobody holds its pipes."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    for entry in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else map(str, range(3, 256)):
        if int(entry) > 2 and int(entry) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(entry))


def _give_up_rights() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


def _serve(server: socket.socket, records: int, port: int, mark: Mark) -> None:
    server.settimeout(_PAUSE)
    places = threading.BoundedSemaphore(_AT_ONCE)
    known: os.stat_result | None = None
    while (there := facts(records, listening.name(port))) is not None:
        if known is None or not os.path.samestat(there, known) or there.st_mtime_ns != known.st_mtime_ns:
            found, known = listening.read(records, port), there
            if found is None or found.secret != mark.secret:
                return
            if found.turn != mark.turn:
                left, _every = signal.getitimer(signal.ITIMER_REAL)
                signal.setitimer(signal.ITIMER_REAL, max(left, found.seconds))
            mark = found
        try:
            client, _where = server.accept()
        except socket.timeout:
            continue
        if places.acquire(blocking=False):
            threading.Thread(target=_answer, args=(client, mark.contents, places), daemon=True).start()
        else:
            client.close()


def _answer(client: socket.socket, contents: t.Mapping[str, str], places: threading.BoundedSemaphore) -> None:
    try:
        with client, contextlib.suppress(OSError):
            client.settimeout(_PATIENCE)
            client.sendall(_reply(_path(client), contents))
    finally:
        places.release()


def _path(client: socket.socket) -> str:
    """Return the path of a GET (RFC 9112, 3); empty for anything else."""
    until, head = time.monotonic() + _PATIENCE, b""
    while b"\r\n\r\n" not in head and len(head) < _LONGEST_REQUEST and time.monotonic() < until:
        more = client.recv(4096)
        if not more:
            break
        head += more
    words = head.partition(b"\r\n")[0].decode("ascii", "replace").split(" ")
    return words[1] if len(words) == 3 and words[0] == "GET" else ""


def _reply(path: str, contents: t.Mapping[str, str]) -> bytes:
    content = contents.get(path[len(_PREFIX) :]) if path.startswith(_PREFIX) else None
    status, body = ("200 OK", content.encode()) if content is not None else ("404 Not Found", b"")
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body
