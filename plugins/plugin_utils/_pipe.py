# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The host's half as one program that goes down the connection's pipe: our code, the arguments, and nothing else.

A module of Ansible brings, unpacks and compiles AnsibleModule and all that it needs, and that is most of what an
execution costs (docs/adr/0010). This program brings the packages of module_utils that a host may need as they are, and
the host compiles what the phase comes to. Where a connection does not pipe, or nobody knows yet which Python the host
has, the module host_half runs the same phase.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import typing as t
import zlib
from pathlib import Path

from ansible import constants

from ..module_utils._core.errors import Denied, Unavailable
from ..module_utils._host.text import last_line
from ..module_utils._options.wire import WIRE

if t.TYPE_CHECKING:
    from collections.abc import Mapping

SHIPPED = ("_core", "_enrol", "_host", "_keystores", "_pkcs11", "_publishers")
MODULE_UTILS = Path(__file__).parent.parent / "module_utils"
TO_DISCOVER = ("auto", "auto_legacy", "auto_silent", "auto_legacy_silent")
LARGEST_ANSWER = 8 * 1024 * 1024
NOT_RUN = (126, 127)  # what a shell says of a program that it cannot run (POSIX, 2.8.2)
DEFAULTS = {name: option.default for name, option in WIRE.items()}


def _packed(value: t.Any) -> bytes:
    """Return a Python literal of JSON, compressed, in base64: whatever it holds, it is text of one line."""
    return repr(base64.b64encode(zlib.compress(json.dumps(value).encode(), 1))).encode()


def sources() -> dict[str, str]:
    """Return the text of every module that may be needed on a host, packages included, by its name there."""
    found = dict.fromkeys(("keystead", "keystead.module_utils"), "")
    for path in sorted(path for name in SHIPPED for path in (MODULE_UTILS / name).glob("*.py")):
        package = f"keystead.module_utils.{path.parent.name}"
        found[package if path.stem == "__init__" else f"{package}.{path.stem}"] = path.read_text(encoding="utf-8")
    return found


# Read when Ansible loads the action, before it forks a worker for each host.
_BOOTSTRAP = (MODULE_UTILS / "_host" / "bootstrap.py").read_bytes()
_SOURCES = _packed(sources())


class Program(t.NamedTuple):
    """A Python program that runs one phase on a host, and the mark before its answer, which nobody else there knows."""

    text: bytes
    mark: str


class Weighed(dict[str, t.Any]):
    """An answer whose text was not too large: nobody needs to write it once more to know."""


def check_size(size: int) -> None:
    """Raise Denied when an answer has more characters than any that we ask for."""
    if size > LARGEST_ANSWER:
        raise Denied(f"host: its answer is larger than {LARGEST_ANSWER} bytes; name fewer identities in a task")


def program(arguments: Mapping[str, t.Any], *, check: bool) -> Program:
    """Return what a host's Python is to read from its standard input."""
    mark = secrets.token_hex(16)
    packed = _packed({"params": {**DEFAULTS, **arguments}, "check": check})
    return Program(b"%b\n\nmain(%b, %b, %a)\n" % (_BOOTSTRAP, _SOURCES, packed, mark), mark)


def interpreter(variables: Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> str | None:
    """Return the Python of a host as Ansible would choose it; None while Ansible still has to find it out.

    `variables` are those of the host that the connection leads to, `template` renders a value of theirs.
    """
    said = template(constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables))
    said = str(said or "").strip()
    if said and said not in TO_DISCOVER:
        return said
    facts = variables.get("ansible_facts")
    found = facts.get("discovered_interpreter_python") if isinstance(facts, dict) else None
    return str(found) if found else None


def answer(ran: Mapping[str, t.Any], python: str, mark: str) -> Weighed:
    """Return what the program answered, whatever a login prints around it. Raises RecursionError, as json does.

    What a host prints beside it may hold anything, such as the task's environment in the words of a sudo that refuses,
    and is repeated only where a shell says that it found no such Python.
    """
    _before, found, rest = str(ran.get("stdout") or "").rpartition(f"\n{mark}")
    text = rest.partition("\n")[0] if found else ""
    check_size(len(text))
    with contextlib.suppress(ValueError):
        said = json.loads(text)
        if isinstance(said, dict):
            return Weighed(said)
    code = ran.get("rc")
    if code in NOT_RUN:
        why = last_line(str(ran.get("stderr") or "").encode("utf-8", "surrogateescape"))
        raise Unavailable(f"host: {python} cannot be run: {why}; set ansible_python_interpreter to one that can")
    raise Unavailable(
        f"host: {python} ended with {code} and without an answer; run again, and if it stays so, look at become, "
        "at the login of this user and at its Python"
    )
