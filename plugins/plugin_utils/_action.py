# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the actions share that have a host's half: the edge between Ansible and the rest of the house."""

from __future__ import annotations

import gc
import typing as t
from abc import abstractmethod

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import Misconfigured
from ..module_utils._options.planned import refuse_planned
from . import _pipe
from ._edge import refuse_async, told
from ._inventory import HERE, place
from ._pins import RefusedPins, where
from ._policy.connection import Reached, reached
from ._validate import Spec, validated

if t.TYPE_CHECKING:
    from ._host_half import Execute

HOST_HALF = "keystead.identity.host_half"
_TOUCHES = "without pipelining, or with a Python still to be discovered, {what} would touch the disk of the host"
_PIPES = "set ansible_pipelining: true and ansible_python_interpreter"
NOT_POSIX = ("winrm", "psrp", "network_cli", "netconf", "httpapi", "raw")


class Task(t.NamedTuple):
    """What a run is told beside its options. `say` shows a line while the run goes on.

    `groups` are those of the inventory that the host is in, `reached` is how Ansible reaches it, `address` where the
    inventory says that it is (ansible_host), empty where that is its name, and localhost where that is the controller
    itself, whatever it is called. `refuse_secrets`
    raises Misconfigured where such a secret on its way to the host would touch its disk, with what to do instead.
    """

    host: str
    playbook: str | None
    check: bool
    diff: bool
    execute: Execute
    say: t.Callable[[str], None]
    groups: t.Collection[str] = ()
    reached: Reached = Reached()
    refuse_secrets: t.Callable[[str, str], None] = lambda _what, _instead: None
    address: str = ""


class HostAction(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Validates what it `accepts`, lets `work` do what there is to do, and says what went wrong."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    module: t.ClassVar[str]
    accepts: t.ClassVar[Spec]

    @abstractmethod
    def work(self, args: t.Mapping[str, t.Any], task: Task) -> dict[str, t.Any]:
        """Return what the task returns."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Validate the options and do the work."""
        gc.disable()  # this process is a fork that ends with its task: a collection would walk the parent's whole heap
        try:
            result = told(self.module, lambda: self._run(tmp, task_vars or {}))
            if self._discovered_interpreter_key:  # the tasks after this one need not look for it
                result["ansible_facts"] = {self._discovered_interpreter_key: self._discovered_interpreter}
            return result
        finally:
            gc.freeze()
            gc.enable()

    def _run(self, tmp: str | None, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        refuse_async(self._task, self.module)
        _refuse_posixless(self._connection, self.module)
        refuse_planned(self._task.args, self.module)
        options = validated(self._task.args, self.accepts, module=self.module)
        return {**super().run(tmp, variables), **self.work(options, self._told(variables))}

    def _told(self, variables: dict[str, t.Any]) -> Task:
        host, groups = place(variables)

        def execute(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
            if python := self._piping(variables):
                return self._piped(arguments, python)
            if arguments.get("secrets"):
                raise self._touches(*_secret_in(arguments))
            answer: dict[str, t.Any] = self._execute_module(
                module_name=HOST_HALF, module_args=arguments, task_vars=variables
            )
            return answer

        memory = RefusedPins(str(constants.DEFAULT_LOCAL_TMP), where(self._connection, self._play_context, host))
        return Task(
            host=host,
            playbook=playbook_of(self._task),
            check=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            execute=lambda arguments: memory.execute(execute, arguments),
            say=(lambda _line: None) if self._task.no_log else (lambda line: Display().display(f"{host}: {line}")),
            groups=groups,
            reached=reached(self._connection),
            refuse_secrets=lambda what, instead: self._refuse_secrets(variables, what, instead),
            address=self._address(variables),
        )

    def _address(self, variables: t.Mapping[str, t.Any]) -> str:
        """Return where the inventory says that the host is; a connection that needs none may say it in any way."""
        if getattr(self._connection, "transport", "") == "local":
            return HERE
        try:
            return str(self._templar.template(variables.get("ansible_host")) or "")
        except AnsibleError:
            return ""

    def _refuse_secrets(self, variables: t.Mapping[str, t.Any], what: str, instead: str) -> None:
        if not self._piping(variables):
            raise self._touches(what, instead)

    def _touches(self, what: str, instead: str) -> Misconfigured:
        remedy = f"{instead}, or {_PIPES}" if instead else _PIPES
        return Misconfigured(f"{self.module}: {_TOUCHES.format(what=what)}; {remedy}")

    def _piping(self, variables: t.Mapping[str, t.Any]) -> str | None:
        """Return the Python that reads the host's half from a pipe; None where that is not possible, or not yet."""
        python = self._interpreter(variables)
        return python if python and self._is_pipelining_enabled("new") else None

    def _interpreter(self, variables: t.Mapping[str, t.Any]) -> str | None:
        """Return the Python of the host that the connection leads to, where it is known."""
        delegate = self._task.delegate_to
        of_host = (variables.get("ansible_delegated_vars") or {}).get(delegate) if delegate else variables
        return _pipe.interpreter(of_host or {}, self._templar.template)

    def _piped(self, arguments: dict[str, t.Any], python: str) -> dict[str, t.Any]:
        """Run the host's half as a program that the host's Python reads from its standard input."""
        shell = self._connection._shell  # noqa: SLF001 - as every action reaches it
        command = shell.build_module_command(self._compute_environment_string(), f"#!{python}", "")
        program = _pipe.program(arguments, check=bool(self._task.check_mode))
        ran = self._low_level_execute_command(command, in_data=program.text)
        return _pipe.answer(ran, python, program.mark)


def _secret_in(arguments: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """Return which secret would go down, and what may be done in place of that."""
    if arguments["phase"] != "enrol":
        return "a secret of the task", "write it to a file there and name that (pin_file, and password_file of a copy)"
    from ._enrolling import SECRET, instead

    return SECRET, next(filter(None, (instead(one["protocol"]) for one in arguments["identities"])), "")


def _refuse_posixless(connection: t.Any, module: str) -> None:
    """Refuse a connection to something that is not a POSIX host with Python."""
    transport = str(getattr(connection, "transport", ""))
    if transport.rpartition(".")[2] in NOT_POSIX:
        raise Misconfigured(
            f"{module}: connection {transport} leads to no POSIX host with Python; use ssh or local, or exclude it"
        )


def playbook_of(task: t.Any) -> str | None:
    """Return the file that the task stands in, as the record shows it."""
    path = str(task.get_path() or "")
    return path.rpartition(":")[0].rpartition("/")[2] or None
