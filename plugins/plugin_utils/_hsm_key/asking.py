# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a half that reaches a token is asked to do something in it, and how what it saw is read (C3)."""

from __future__ import annotations

import typing as t

from ...module_utils._core import wire
from ...module_utils._core.errors import Denied
from ...module_utils._core.held import Errand, Seen
from ...module_utils._host.token_keys import run_here
from ...module_utils._pkcs11.uri import parse
from .._host_half import HostHalf, error_of
from .record import pem_of

if t.TYPE_CHECKING:
    from datetime import datetime

Ask = t.Callable[[Errand], Seen]


def of_host(half: HostHalf, pin: str | None, now: datetime) -> Ask:
    """Return who asks a token of the host; it raises KeysteadError."""

    def ask(errand: Errand) -> Seen:
        said = half.errand(wire.pack(errand), pin, now)
        error = error_of(said) if "error" in said else None
        if error is not None:
            raise error
        return _read(said)

    return ask


def here(pin: str | None) -> Ask:
    """Return who asks a token that the controller reaches; it raises KeysteadError."""
    return lambda errand: _read({"seen": run_here(errand, pin)})


def _read(said: t.Mapping[str, t.Any]) -> Seen:
    try:
        seen = wire.unpack(Seen, said["seen"])
        for key in seen.keys:
            parse(key.uri), pem_of(key)
    except (ValueError, KeyError) as failure:
        raise Denied(f"host: its answer about the token is refused: {failure}") from None
    return seen
