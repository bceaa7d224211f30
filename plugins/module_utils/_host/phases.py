# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Every phase of the host's half, with what activates and proves consumers."""

from __future__ import annotations

import typing as t

from . import running

if t.TYPE_CHECKING:
    from .request import Request


def run(params: t.Mapping[str, t.Any], *, check: bool) -> dict[str, t.Any]:
    """Run one phase and return its answers."""
    return running.run(params, check=check, consumers=_consumers, others={"read": _read, "preflight": _preflight})


def _consumers() -> t.Any:
    from . import consumers

    return consumers


def _read(request: Request, _check: bool) -> dict[str, t.Any]:  # noqa: FBT001 - the form of a phase
    from .read import look_around

    return look_around(request)


def _preflight(request: Request, _check: bool) -> dict[str, t.Any]:  # noqa: FBT001
    from .preflight import look

    return {"identities": [], "checks": look(request)}
