# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""key_rotate over keys by themselves without Ansible, in one process: a real backend and ledger, and a clock to set."""

from __future__ import annotations

import os
import signal
import sys
import time
import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.key_rotate import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.token import forget
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._key_rotate.converge import rotate
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, host_half

if t.TYPE_CHECKING:
    import types
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._host_half import Execute

Record = dict[str, t.Any]
CHANGING = ("record", "make", "prove", "lead", "destroy", "retire", "forget", "_change")
"""What changes the ledger or a backend, by the names of functions."""


class Desk:
    """A controller with a ledger, and one key in a backend: `custody` is what a task says of it."""

    def __init__(self, ledger: Path, custody: Record, environment: t.Mapping[str, str] | None = None) -> None:
        """Take a key that is there; the ledger is made where there is none."""
        self.custody, self.ledger, self.environment = custody, ledger, environment or {}
        self.url = f"sqlite:///{ledger}"
        open_ledger(self.url).close()
        self.now = datetime.now(UTC)
        self.errands: list[str] = []

    def later(self, **duration: float) -> None:
        """Let time pass."""
        self.now += timedelta(**duration)

    def ends(self, **said: t.Any) -> None:
        """Let a grace be over by the clock of one run, which destroys nothing, and an hour pass until another one."""
        first = self.run(**said)
        assert (first["changed"], [one["code"] for one in first["findings"]]) == (False, ["grace"]), first
        self.later(hours=1)

    def moment(self) -> str:
        """Return now, as a task says it; a second goes by."""
        self.later(seconds=2)
        at = f"{self.now:%Y-%m-%dT%H:%M:%SZ}"
        self.later(seconds=2)
        return at

    def run(
        self, *, check: bool = False, execute: Execute | None = None, task: Record | None = None, **said: t.Any
    ) -> Record:
        """Run the task once, as a new process does, and return the record of the key. `said` is about the key."""
        result = self.result(check=check, execute=execute, task=task, **said)
        (found,) = result["keys"]
        return {**found, "diff": result["diff"]}

    def result(
        self, *, check: bool = False, execute: Execute | None = None, task: Record | None = None, **said: t.Any
    ) -> Record:
        """Run the task once, and return its result."""
        os.environ.update(self.environment)
        forget()
        options = {"ledger": self.url, "max_age": "90d", "keys": [{"custody": self.custody, **said}], **(task or {})}
        options = {name: value for name, value in options.items() if value is not None}
        args = validated(options, spec(COMMON, OPTIONS), module="key_rotate")
        way = execute or (lambda arguments: self.execute(arguments, check=check))
        return rotate(args, Task(HOST, "site.yml", check, diff=True, execute=way, say=lambda _line: None), self.now)

    def execute(self, arguments: t.Mapping[str, t.Any], *, check: bool = False) -> t.Any:
        """Be the way to the host."""
        self.errands.append(arguments["errand"]["errand"])
        return host_half(arguments, check=check)

    def settled(self, **said: t.Any) -> Record:
        """Look in check mode, twice, and run, twice: only the first run changes anything. Return that one."""
        before = self.ledger.read_bytes()
        shown = [self.run(check=True, **said) for _turn in range(2)]
        assert self.ledger.read_bytes() == before, "check mode touched the ledger"
        done = self.run(**said)
        assert not done["failed"], done["msg"]
        assert [(one["steps"], one["diff"]) for one in shown] == [(done["steps"], done["diff"])] * 2
        after = self.ledger.read_bytes()
        for check in (False, True):
            again = self.run(check=check, **said)
            assert (again["failed"], again["changed"], again["steps"]) == (False, False, []), again
            assert again["generations"] == done["generations"]
        assert self.ledger.read_bytes() == after, "a run with nothing to do touched the ledger"
        return done

    def events(self) -> list[tuple[str, int | None, str]]:
        """Return action, generation and outcome of all events, once the chain was found whole."""
        ledger = open_ledger(self.url, read_only=True)
        assert verify(ledger) is None
        found = [(one["action"], one["generation"], one["outcome"]) for one in queries.events(ledger)]
        ledger.close()
        return found


def actions(record: Record) -> list[str]:
    """Return what was done."""
    return [step["action"] for step in record["steps"]]


def states(record: Record) -> dict[int, str]:
    """Return the state of each generation."""
    return {one["number"]: one["state"] for one in record["generations"]}


def acted(desk: Desk, said: Record) -> list[str]:
    """Rotate, for a process of its own; return what was done."""
    return actions(desk.run(**said))


def raced(desk: Desk, said: Record, meeting: Path, others: int) -> list[str]:
    """Rotate, for a process of its own, when all others have looked as well; return what was done, or why not."""

    def execute(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = desk.execute(arguments)
        if len(desk.errands) == 1:
            (meeting / str(os.getpid())).touch()
            while len(list(meeting.iterdir())) <= others:
                time.sleep(0.01)
        return answer

    record = desk.run(execute=execute, **said)
    return [record["msg"]] if record["failed"] else actions(record)


def killed(desk: Desk, number: int, said: Record) -> str:
    """Rotate, and be killed before or after a call that changes something, the one of this number in the run.

    For a process of its own. Where the run ends before, return "done".
    """
    calls = 0

    def watch(frame: types.FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        code = frame.f_code
        if event in ("call", "return") and code.co_name in CHANGING and "plugin_utils" in code.co_filename:
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    try:
        record = desk.run(**said)
    finally:
        sys.setprofile(None)
    return record["msg"] or "done"
