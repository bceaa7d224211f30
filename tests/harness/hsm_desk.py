# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""hsm_key without Ansible, in one process: a real token, a real SQLite ledger, the host's half called directly."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.hsm_key import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.token import forget
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._hsm_key.converge import converge
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, host_half

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._host_half import Execute
    from ansible_collections.keystead.identity.tests.harness import softhsm

Result = dict[str, t.Any]


class Desk:
    """A controller with a ledger, and a host with a token."""

    def __init__(self, directory: Path, custody: softhsm.Custody) -> None:
        """Take a token that is there, and make the ledger."""
        directory.mkdir(exist_ok=True)
        self.custody, self.ledger = custody, directory / "ledger.sqlite"
        self.url = f"sqlite:///{self.ledger}"
        open_ledger(self.url).close()
        self.errands: list[str] = []

    def run(
        self, *, check: bool = False, diff: bool = False, execute: Execute | None = None, **options: t.Any
    ) -> Result:
        """Run the task once, as a new process does. Raises KeysteadError."""
        os.environ.update(self.custody.environment)
        forget()
        said = {"ledger": self.url, **self.custody.recipe("")["token"], **options}
        args = validated(
            {name: value for name, value in said.items() if value is not None}, spec(COMMON, OPTIONS), module="hsm_key"
        )
        way = execute or (lambda arguments: self.execute(arguments, check=check))
        return converge(args, Task(HOST, "site.yml", check, diff, way, lambda _line: None))

    def execute(self, arguments: t.Mapping[str, t.Any], *, check: bool = False) -> t.Any:
        """Be the way to the host."""
        self.errands.append(arguments["errand"]["errand"])
        return host_half(arguments, check=check)

    def refusal(self, **options: t.Any) -> str:
        """Return why a task is refused, in check mode and in a run alike; neither may touch token or ledger."""
        said = []
        before = self.state()
        for check in (True, False):
            try:
                self.run(check=check, **options)
            except KeysteadError as error:
                said.append(str(error))
        assert len(said) == 2
        assert said[0] == said[1]
        assert self.state() == before
        return said[0]

    def settled(self, **options: t.Any) -> Result:
        """Look in check mode, twice, and run, twice: only the first run changes anything. Return that one."""
        before = self.state()
        shown = [self.run(check=True, diff=True, **options) for _turn in range(2)]
        assert self.state() == before, "check mode touched something"
        done = self.run(diff=True, **options)
        assert [(one["steps"], one["diff"]) for one in shown] == [(done["steps"], done["diff"])] * 2
        assert done["changed"] == shown[0]["changed"] == bool(done["steps"])
        after = self.state()
        for check in (False, True):
            again = self.run(check=check, **options)
            same = ("uri", "public_key", "attributes", "findings")
            assert (again["changed"], again["steps"]) == (False, [])
            assert [again[name] for name in same] == [done[name] for name in same]
        assert self.state() == after, "a run with nothing to do touched something"
        return done

    def state(self) -> tuple[t.Any, ...]:
        """Return what a run could change: what is in the token, and the bytes of the ledger."""
        return self.custody.every(), self.ledger.read_bytes()

    def seen(self, label: str) -> list[str]:
        """Return what a tool that is not ours sees."""
        return self.custody.seen(label)

    def events(self) -> list[tuple[str, str, str]]:
        """Return name, action and outcome of all events, once the chain was found whole."""
        ledger = open_ledger(self.url, read_only=True)
        assert verify(ledger) is None
        found = [(one["identity"], one["action"], one["outcome"]) for one in queries.events(ledger)]
        ledger.close()
        return found

    def recorded(self) -> list[queries.Record]:
        """Return the keys that the ledger has."""
        ledger = open_ledger(self.url, read_only=True)
        found = queries.backend_keys(ledger)
        ledger.close()
        return found
