# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Runs a phase of the host's half. What a phase needs is loaded when it is asked for."""

from __future__ import annotations

import platform
import sys
import time
import typing as t

from .._core.errors import Misconfigured
from .._core.wire import FORMAT
from .request import read

if t.TYPE_CHECKING:
    from .request import Request

OLDEST_CRYPTOGRAPHY = (3, 4)


def run(params: t.Mapping[str, t.Any], *, check: bool) -> dict[str, t.Any]:
    """Run one phase and return its answers, with the clock and the versions of this host."""
    version = _cryptography()
    request, phase = read(params), params["phase"]
    if request.refused:
        from .._pkcs11.tries import recall

        recall(request.refused)
    if phase == "prepare":
        from .prepare import prepare

        answers: dict[str, t.Any] = {"identities": prepare(request, check=check or bool(params.get("look")))}
    elif phase == "install":
        from .install import install

        answers = {"identities": [] if check else install(request)}
    elif phase == "respond":
        from .respond import respond

        answers = {"identities": [] if check else respond(request)}
    elif phase == "enrol":
        from .enrol import enrol

        answers = {"identities": [] if check else enrol(request)}
    elif phase == "preflight":
        from .preflight import look

        answers = {"identities": [], "checks": look(request)}
    elif phase in ("token", "trust"):
        answers = {"identities": [_errand(request, phase, check=check)]}
    else:
        from .read import look_around

        answers = look_around(request)
    return {
        "format": FORMAT,
        "now": time.time(),
        "versions": {"python": platform.python_version(), "cryptography": version},
        **answers,
    }


def _errand(request: Request, phase: str, *, check: bool) -> dict[str, t.Any]:
    """Do what is about no identity: in a token, or to the anchors of this host."""
    if phase == "token":
        from .token_keys import run_errand
    else:
        from .trust import run_errand
    return run_errand(request, check=check)


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
