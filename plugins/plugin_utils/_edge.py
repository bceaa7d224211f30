# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The edge between Ansible and the rest of the house: what goes wrong is said in one sentence, without a traceback."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError

from ..module_utils._core.errors import KeysteadError, Misconfigured


def told(module: str, work: t.Callable[[], dict[str, t.Any]]) -> dict[str, t.Any]:
    """Do the work and return its result, or a failed one.

    It is returned and not raised: ansible-core 2.18 keeps the traceback of an exception and shows it at -vvv. What
    Ansible itself raises, such as that a host is unreachable, is Ansible's to tell. An error that nobody foresaw is
    named by its type and place only, since its text could hold anything.
    """
    try:
        return work()
    except KeysteadError as error:
        return {"failed": True, "msg": str(error)}
    except AnsibleError:
        raise
    except Exception as error:  # noqa: BLE001
        return {"failed": True, "msg": unexpected(module, error)}


def unexpected(who: str, error: Exception) -> str:
    """Return the sentence about an error that nobody foresaw, without its text."""
    return f"{who}: unexpected {place_of(error)}; please report it"


def place_of(error: Exception) -> str:
    """Return the type of an error and the line where it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "an unknown place"
    return f"{type(error).__name__} at {where}"


def refuse_async(task: t.Any, module: str) -> None:
    """Raise Misconfigured for a task that is to run in the background: its host's half needs the controller's."""
    if task.async_val:
        raise Misconfigured(
            f"{module}: option async: {task.async_val} is not possible, its work is on the controller too; "
            "remove async and poll, and use serial or throttle"
        )
