# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The answer of the host's half to one request, whatever happens: a result, or one sentence."""

from __future__ import annotations

import typing as t

from .._core.errors import KeysteadError
from .running import run


def answered(params: t.Mapping[str, t.Any], *, check: bool) -> dict[str, t.Any]:
    """Run the phase that the controller asks for; what goes wrong is `failed` and `msg`, without a traceback."""
    try:
        return run(params, check=check)
    except KeysteadError as error:
        return {"failed": True, "msg": str(error)}
    except Exception as error:  # noqa: BLE001 - a traceback could show what the frames hold
        return {"failed": True, "msg": f"host: unexpected {place_of(error)}; please report it"}


def place_of(error: Exception) -> str:
    """Return the type of an error and the innermost line of this collection that it came through, without its text."""
    ours, where, trace = __name__.partition(".module_utils.")[0], "an unknown place", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").startswith(ours):
            where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {where}"
