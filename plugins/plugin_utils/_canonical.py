# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""JSON in the one form that can be digested and signed (RFC 8785)."""

from __future__ import annotations

import json
import typing as t

from ..module_utils._core.errors import Misconfigured

_LARGEST = 2**53 - 1  # of whole numbers (RFC 8785, 3.2.2.3)


def canonical(value: t.Any, who: str) -> bytes:
    """Return a value as canonical JSON; `who` begins what is said where the library for it is missing.

    Raises Misconfigured, and ValueError for what JSON cannot hold: lone surrogates, and numbers beyond 2^53.
    """
    if _is_plain(value):  # every event of a ledger is: the library takes four times as long to say the same
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    try:
        import rfc8785
    except ImportError as error:
        message = f"{who}: Python library rfc8785 is not installed on the controller; install it beside ansible-core"
        raise Misconfigured(message) from error
    return rfc8785.dumps(value)


def _is_plain(value: t.Any) -> bool:
    """Tell whether Python's own JSON is canonical: whole numbers, and names that all orders sort alike."""
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, int):
        return abs(value) <= _LARGEST
    if isinstance(value, dict):
        return all(isinstance(name, str) and name.isascii() and _is_plain(held) for name, held in value.items())
    return isinstance(value, list) and all(map(_is_plain, value))
