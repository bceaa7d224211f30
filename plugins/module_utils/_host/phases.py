# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The phases of the host's half. Each is loaded when it is asked for: a run that has nothing to do pays for one."""

from __future__ import annotations

import platform
import sys
import time
import typing as t

from .._core.errors import Misconfigured
from .._core.wire import FORMAT
from .request import Request, read

Phase = t.Callable[..., t.List[t.Dict[str, t.Any]]]
OLDEST_CRYPTOGRAPHY = (3, 4)


def run(params: t.Mapping[str, t.Any], *, check: bool) -> dict[str, t.Any]:
    """Run one phase and return its answers, with the clock and the versions of this host."""
    version = _cryptography()
    identities = PHASES[params["phase"]](read(params), check=check)
    return {
        "format": FORMAT,
        "now": time.time(),
        "versions": {"python": platform.python_version(), "cryptography": version},
        "identities": identities,
    }


def _prepare(request: Request, *, check: bool) -> list[dict[str, t.Any]]:
    from .prepare import prepare

    return prepare(request, check=check)


def _install(request: Request, *, check: bool) -> list[dict[str, t.Any]]:
    from .install import install

    return [] if check else install(request)


PHASES: dict[str, Phase] = {"prepare": _prepare, "install": _install}


def _cryptography() -> str:
    """Return the version of cryptography; say in one sentence what to install where there is none."""
    remedy = "install the package python3-cryptography, or choose another ansible_python_interpreter"
    try:
        import cryptography
    except ImportError:
        raise Misconfigured(f"host: {sys.executable} has no cryptography; {remedy}") from None
    version: str = cryptography.__version__
    if tuple(int(number) for number in version.split(".")[:2] if number.isdigit()) < OLDEST_CRYPTOGRAPHY:
        raise Misconfigured(f"host: {sys.executable} has cryptography {version}, at least 3.4 is needed; {remedy}")
    return version
