# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Whether a host can do what ML-DSA (FIPS 204), in an identity or above it, needs of it, before anything is tried."""

from __future__ import annotations

import typing as t

from .._core.errors import Misconfigured
from .._core.keys import check_makeable
from .handshake import openssl, unsupported_type

if t.TYPE_CHECKING:
    from .._core.model import Identity


def check_fit(wanted: Identity) -> None:
    """Raise Misconfigured where this host cannot make the key, or cannot do the handshake that shall prove it."""
    if wanted.key.on_host and not wanted.key.token:
        check_makeable(wanted.key.type)
    if wanted.prove and not wanted.prove.command and (complaint := unsupported_type(wanted.key.type)):
        raise Misconfigured(f"host: {complaint}")


def without_ml_dsa(wanted: Identity) -> str | None:
    """Return which OpenSSL is to prove an identity by a handshake, where it knows no ML-DSA."""
    if wanted.prove is None or wanted.prove.command or unsupported_type("ml-dsa-65") is None:
        return None
    return openssl()
