# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""JSON in the one form that can be digested and signed (RFC 8785)."""

from __future__ import annotations

import typing as t

from ..module_utils._core.errors import Misconfigured


def canonical(value: t.Any, who: str) -> bytes:
    """Return a value as canonical JSON; `who` begins what is said where the library for it is missing.

    Raises Misconfigured, and ValueError for what JSON cannot hold: lone surrogates, and numbers beyond 2^53.
    """
    try:
        import rfc8785
    except ImportError as error:
        message = f"{who}: Python library rfc8785 is not installed on the controller; install it beside ansible-core"
        raise Misconfigured(message) from error
    return rfc8785.dumps(value)
