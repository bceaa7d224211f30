# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Whether a host can do what an identity with an ML-DSA key (FIPS 204) needs of it, before anything is tried."""

from __future__ import annotations

import typing as t

from .._core.errors import Misconfigured
from .._core.keys import check_makeable
from .handshake import unsupported_type

if t.TYPE_CHECKING:
    from .._core.model import Identity


def check_fit(wanted: Identity) -> None:
    """Raise Misconfigured where this host cannot make the key, or cannot do the handshake that shall prove it."""
    if wanted.key.on_host and not wanted.key.token:
        check_makeable(wanted.key.type)
    if wanted.prove and not wanted.prove.command and (complaint := unsupported_type(wanted.key.type)):
        raise Misconfigured(f"host: {complaint}")
