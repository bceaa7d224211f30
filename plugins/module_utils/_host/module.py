# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The edge of the host's half: the only place there that knows Ansible."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._core.errors import KeysteadError
from .._options.wire import WIRE


def answer(run: t.Callable[..., dict[str, t.Any]]) -> None:
    """Run the phase that the controller asks for, and exit with its answer or with one sentence."""
    spec = {name: option.spec() for name, option in WIRE.items()}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, no_log=True)
    try:
        answers = run(module.params, check=module.check_mode)
    except KeysteadError as error:
        module.fail_json(msg=str(error), invocation={})
    except Exception as error:  # noqa: BLE001 - a traceback could show what the frames hold
        module.fail_json(msg=f"host: unexpected {place_of(error)}; please report it", invocation={})
    module.exit_json(changed=False, invocation={}, **answers)


def place_of(error: Exception) -> str:
    """Return the type of an error and the innermost line of this collection that it came through, without its text."""
    ours, where, trace = __name__.partition(".module_utils.")[0], "an unknown place", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith(ours):
            where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {where}"
