# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A stopwatch in every Python process of a playbook run; Python imports this file where PYTHONPATH names its directory.

Time is charged to one account at a moment: that of the innermost span, be it an import, the compiling of a shipped file
or a function of SPANS. So the accounts of a process add up to its life. Each process leaves them in BENCH_PROFILE,
worker processes when their task is over. Only the standard library's smallest modules are used, for what is imported
here costs nobody.
"""

from __future__ import annotations

import _thread
import atexit
import builtins
import functools
import gc
import importlib
import json
import os
import sys
import time
import zipimport

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

HERE = "ansible_collections.keystead.identity.plugins"
# module: {function: account}; a function that is not there (any more) is charged to whoever calls it
SPANS: dict[str, dict[str, str]] = {
    "ansible.executor.task_executor": {
        "TaskExecutor.run": "ansible",
        "TaskExecutor._get_action_handler_with_module_context": "ansible: find the plugins",
        "TaskExecutor._get_connection": "ansible: find the plugins",
    },
    "ansible.module_utils.basic": {
        "AnsibleModule.__init__": "ansible: read the arguments",
        "AnsibleModule.exit_json": "ansible: answer",
    },
    "ansible.utils.collection_loader._collection_finder": {  # it keeps no bytecode
        "_AnsibleCollectionPkgLoaderBase.get_code": "compile: collections"
    },
    "ansible.playbook.task": {"Task.post_validate": "ansible: template the task"},
    "ansible.plugins.action": {
        "ActionBase._execute_module": "ansible: execute a module",
        "ActionBase._configure_module": "ansible: collect what is shipped",
        "ActionBase._low_level_execute_command": "host",
    },
    f"{HERE}.plugin_utils._action": {"HostAction.run": "ours: action"},
    f"{HERE}.plugin_utils._ledger.registry": {"open_ledger": "ours: ledger"},
    f"{HERE}.plugin_utils._ledger.ledger": {
        f"SqliteLedger.{name}": "ours: ledger" for name in ("remembered", "intend", "record", "pin", "pinned", "close")
    },
    f"{HERE}.plugin_utils._issuers.local": {
        f"LocalIssuer.{name}": "ours: issuer" for name in ("__init__", "begin", "finish")
    },
    f"{HERE}.module_utils._host.running": {"run": "ours: host's half"},
    "keystead.module_utils._host.running": {"run": "ours: host's half"},
    f"{HERE}.plugin_utils._pipe": {"program": "ours: what goes down the pipe"},
}
WHOLE_TASK = "TaskExecutor.run"
# of the modules named like this, whatever they import is theirs
IMPORTS = {
    "cryptography": "import: cryptography",
    "ansible_collections.keystead": "import: ours",
    "keystead": "import: ours",
    "ansible": "import: ansible",
}


class Stopwatch:
    """The accounts of this process."""

    def __init__(self) -> None:
        """Begin now, by the clock or by this process's processor time."""
        self.clock = time.process_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.monotonic
        self.thread = _thread.get_ident()
        self.begin("parent" if "ansible-playbook" in " ".join(sys.orig_argv) else "module")

    def begin(self, role: str) -> None:
        """Open new accounts for a process that is the parent, a worker or a module."""
        self.role = role
        self.start = self.last = self.clock()
        self.stack = ["ansible"]
        self.accounts: dict[str, float] = {}
        self.modules: dict[str, float] = {}
        self.loading = [""]
        self.shipped: dict[str, list[int]] = {"ansible": [0, 0], "ours": [0, 0]}

    def charge(self) -> None:
        """Book the time since the last booking."""
        now = self.clock()
        spent, self.last = now - self.last, now
        self.accounts[self.stack[-1]] = self.accounts.get(self.stack[-1], 0.0) + spent
        self.modules[self.loading[-1]] = self.modules.get(self.loading[-1], 0.0) + spent

    def call(self, account: str, function: t.Callable[..., t.Any], *args: t.Any, **options: t.Any) -> t.Any:
        """Run a function on an account."""
        if _thread.get_ident() != self.thread:
            return function(*args, **options)
        self.charge()
        self.stack.append(account)
        depth = len(self.stack)
        try:
            return function(*args, **options)
        finally:
            self.charge()
            del self.stack[depth - 1 :]

    def load(self, function: t.Callable[..., t.Any], name: str, *args: t.Any) -> t.Any:
        """Import a module on the account of its family."""
        if name in sys.modules or _thread.get_ident() != self.thread:
            return function(name, *args)
        self.charge()
        self.loading.append(name)
        try:
            loaded = self.call(self.family(name), function, name, *args)
        finally:
            self.charge()
            self.loading.pop()
        _wrap(name)
        return loaded

    def family(self, name: str) -> str:
        """Return the account of an import: a family's, else that of the import around it."""
        for family, account in IMPORTS.items():
            if name == family or name.startswith(family + "."):
                return account
        around = self.stack[-1]
        return around if around.startswith("import: ") else "import: others"

    def compile(self, function: t.Callable[..., t.Any], path: str, source: bytes) -> t.Any:
        """Compile a file out of what was shipped."""
        return self.compiled("ours" if "ansible_collections" in path else "ansible", source, function, path, source)

    def compile_piped(
        self, function: t.Callable[..., t.Any], source: t.Any, filename: t.Any, *args: t.Any, **how: t.Any
    ) -> t.Any:
        """Compile a source that came down a pipe; whatever else is compiled is on the account that is open."""
        if not str(filename).startswith("keystead/"):
            return function(source, filename, *args, **how)
        return self.compiled("ours", source, function, source, filename, *args, **how)

    def compiled(
        self, whose: str, source: t.Any, function: t.Callable[..., t.Any], *args: t.Any, **how: t.Any
    ) -> t.Any:
        """Count a file, and compile it on an account."""
        self.shipped[whose][0] += 1
        self.shipped[whose][1] += len(source)
        return self.call(f"compile: {whose}", function, *args, **how)

    def collect(self, phase: str, _info: object) -> None:
        """Garbage collection begins or ends."""
        if _thread.get_ident() != self.thread:
            return
        self.charge()
        if phase == "start":
            self.stack.append("python: collect garbage")
        else:
            self.stack.pop()

    def leave(self) -> None:
        """Write the accounts down."""
        self.charge()
        path = os.path.join(os.environ["BENCH_PROFILE"], f"{self.role}-{os.getpid()}.json")  # noqa: PTH118 - cheap
        kept = {
            "role": self.role,
            "start": self.start,
            "end": self.last,
            "accounts": self.accounts,
            "modules": self.modules,
            "shipped": self.shipped,
        }
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - cheap
            json.dump(kept, file)


def _wrap(module: str) -> None:
    """Put the functions of a module that was just imported on their accounts."""
    for dotted, account in SPANS.get(module, {}).items():
        owner: t.Any = sys.modules[module]
        *classes, name = dotted.split(".")
        for one in classes:
            owner = getattr(owner, one, None)
        function = getattr(owner, name, None)
        if callable(function):
            setattr(owner, name, _timed(function, account, last=dotted == WHOLE_TASK))


def _timed(function: t.Callable[..., t.Any], account: str, *, last: bool) -> t.Callable[..., t.Any]:
    @functools.wraps(function)
    def timed(*args: t.Any, **options: t.Any) -> t.Any:
        try:
            return STOPWATCH.call(account, function, *args, **options)
        finally:
            if last:  # a worker runs no exit handlers, and is killed once its result was sent
                STOPWATCH.leave()

    return timed


def _install() -> None:
    bootstrap: t.Any = importlib._bootstrap  # noqa: SLF001 - where `import` begins
    bootstrap._find_and_load = functools.partial(STOPWATCH.load, bootstrap._find_and_load)  # noqa: SLF001
    builtins.compile = functools.partial(STOPWATCH.compile_piped, compile)
    shipped: t.Any = zipimport
    shipped._compile_source = functools.partial(STOPWATCH.compile, shipped._compile_source)  # noqa: SLF001
    os.register_at_fork(after_in_child=lambda: STOPWATCH.begin("worker"))
    gc.callbacks.append(STOPWATCH.collect)
    atexit.register(STOPWATCH.leave)
    os._exit = functools.partial(_left_at_once, os._exit)  # how a program of the pipe ends


def _left_at_once(leave: t.Callable[[int], t.NoReturn], code: int) -> t.NoReturn:
    if STOPWATCH.role == "module":
        STOPWATCH.leave()
    leave(code)


if "BENCH_PROFILE" in os.environ:
    STOPWATCH = Stopwatch()
    _install()
