# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A PIN is tried once in a run also where each task, item and delegated task is an execution of its own on a host.

What a token refused is kept on the controller, in Ansible's directory of this run, and goes down with the next request.
No PIN is kept, and nothing made of one: only which token refused what came from where.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from ._host_half import Answer, Execute

PHASES = ("prepare", "install", "token")
MOST, LONGEST = 100, 2000  # what a host may say: that many refusals, of that many characters
_LARGEST = MOST * LONGEST * 2
_NAMES = ("module_path", "token_label", "token_serial", "pin_env", "pin_file")
Token = t.Mapping[str, t.Any]


class RefusedPins:
    """What the tokens that one connection leads to refused in this run, in a file that its processes share."""

    def __init__(self, directory: str, place: str) -> None:
        """Take a directory that only this user may write, and what tells this connection's end from others."""
        self._path = Path(directory) / f"host-pins-{hashlib.sha256(place.encode()).hexdigest()}"

    def execute(self, execute: Execute, arguments: dict[str, t.Any]) -> Answer:
        """Run the host's half. Until a PIN is known to be good, one process at a time tries it."""
        asked = sorted({_named(token) for token in _tokens(arguments)})
        if not asked:
            return execute(arguments)
        with self._opened() as file:
            known = _read(file)
            if all(one in known["good"] for one in asked):
                fcntl.flock(file, fcntl.LOCK_UN)
            answer = execute(_told(arguments, known))
            fcntl.flock(file, fcntl.LOCK_EX)
            refused, failed = _learned(answer)
            if refused or not failed:
                _add(file, refused, [] if failed else asked)
            return answer

    @contextlib.contextmanager
    def _opened(self) -> t.Iterator[int]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def where(connection: t.Any, play_context: t.Any, host: str) -> str:
    """Return what the end of a connection is called: `local` is one machine, whichever host of the inventory it is."""
    transport = str(getattr(connection, "transport", "")).rpartition(".")[2]
    if transport == "local":
        return transport
    return f"{transport} {getattr(play_context, 'remote_addr', None) or host}"


def _told(arguments: dict[str, t.Any], known: t.Mapping[str, list[str]]) -> dict[str, t.Any]:
    return {**arguments, "refused": known["refused"]} if known["refused"] else arguments


def _tokens(arguments: t.Mapping[str, t.Any]) -> t.Iterator[Token]:
    """Yield the tokens that a request is about."""
    if arguments["phase"] not in PHASES:
        return
    wanted = [(entry["identity"].get("key") or {}).get("token") for entry in arguments["identities"]]
    yield from (token for token in (*wanted, (arguments.get("errand") or {}).get("token")) if token)


def _named(token: Token) -> str:
    return json.dumps([token.get(name) for name in _NAMES])


def _learned(answer: Answer) -> tuple[list[str], bool]:
    """Return which PINs were refused, and whether anything failed, so that nobody knows whether the others are good."""
    said = answer.get("identities")
    if answer.get("failed") or not isinstance(said, list):
        return [], True
    errors = [one["error"] for one in said if isinstance(one, dict) and isinstance(one.get("error"), dict)]
    refused = [str(error["refused"]) for error in errors if isinstance(error.get("refused"), str)]
    return [one for one in refused if len(one) <= LONGEST], bool(errors)


def _read(file: int) -> dict[str, list[str]]:
    content = os.pread(file, _LARGEST, 0)
    found: dict[str, list[str]] = json.loads(content) if content else {"refused": [], "good": []}
    return found


def _add(file: int, refused: t.Sequence[str], good: t.Sequence[str]) -> None:
    known = _read(file)
    known["refused"] = [*dict.fromkeys((*known["refused"], *refused))][:MOST]
    known["good"] = [*dict.fromkeys((*known["good"], *good))]
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(known).encode(), 0)
