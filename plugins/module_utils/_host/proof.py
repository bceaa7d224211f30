# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Proves that consumers use their current generation: all at once, each within its own time."""

from __future__ import annotations

import queue
import socket
import threading
import time
import typing as t

from .._core.errors import Misconfigured
from .text import place

if t.TYPE_CHECKING:
    from .attempt import Attempt
    from .target import Target

MOST_AT_ONCE = 100
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
# Since OpenSSH 9.8, sshd shuts out for a while who often goes away without logging in: 1 s each time adds up to 15 s.
FIRST_PAUSE_OF_SSH, LONGEST_PAUSE_OF_SSH = 0.2, 4.0
LAST = 0.5  # before the end, who paused for long tries once more
GRACE = 2.0  # for what cannot be interrupted: a command being killed, a name being resolved


def prove(targets: t.Sequence[Target]) -> dict[str, str]:
    """Return "ok" or a sentence for the name of each target.

    Every time-out counts from this call on, so that all take as long as the slowest. What fails is tried again until
    then, commands too: a consumer that was just reloaded serves its old certificate for a while.
    """
    start = time.monotonic()
    waiting: queue.SimpleQueue[Target] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for target in targets:
        waiting.put(target)
    for _thread in range(min(MOST_AT_ONCE, len(targets))):
        # Daemons, unlike an executor's threads, do not keep the module alive while a resolver hangs.
        threading.Thread(target=_work, args=(waiting, answers, start), daemon=True).start()
    verdicts = {target.name: _timed_out(target) for target in targets}
    _collect(verdicts, answers, len(targets), start + max((x.proof.timeout for x in targets), default=0.0) + GRACE)
    return verdicts


def _collect(verdicts: dict[str, str], answers: queue.SimpleQueue[tuple[str, str]], count: int, until: float) -> None:
    for _answer in range(count):
        try:
            name, verdict = answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return
        verdicts[name] = verdict


def _work(waiting: queue.SimpleQueue[Target], answers: queue.SimpleQueue[tuple[str, str]], start: float) -> None:
    while True:
        try:
            target = waiting.get_nowait()
        except queue.Empty:
            return
        answers.put((target.name, _prove(target, start + target.proof.timeout)))


def _prove(target: Target, deadline: float) -> str:
    pauses = FIRST_PAUSE, LONGEST_PAUSE
    if target.kind == "ssh_host" and not target.proof.command:
        from .ssh_attempt import attempt_for

        pauses = FIRST_PAUSE_OF_SSH, LONGEST_PAUSE_OF_SSH
    else:
        from .attempt import attempt_for  # ssl costs 13 ms, which a run without proofs does not pay

    try:
        attempt = attempt_for(target)
    except Misconfigured as error:
        return str(error)
    return _until(deadline, attempt, *pauses) or _timed_out(target)


def _until(deadline: float, attempt: Attempt, pause: float, longest: float) -> str | None:
    """Return the first "ok" or the last complaint before `deadline`; None when no attempt came to an end."""
    verdict = None
    while True:
        try:
            verdict = attempt(deadline)
        except socket.timeout:
            return verdict
        left = deadline - time.monotonic()
        if verdict == "ok" or left <= min(pause, 2 * LAST):
            return verdict
        time.sleep(pause if pause < left else left - LAST)
        pause = min(2 * pause, longest)


def _timed_out(target: Target) -> str:
    proof = target.proof
    where = f"prove.command: {proof.command[0]}" if proof.command else place(proof.host, proof.port)
    return f"{where} timed out after {proof.timeout:g} s"
