# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The next key: made once, and found again by the run after one that was cut off (rule R1)."""

from __future__ import annotations

import typing as t

from .keys import key_type_of

if t.TYPE_CHECKING:
    from .ports import KeyStore


def staged(keys: KeyStore, key_type: str) -> t.Any:
    """Return the key that waits for its credential; one of another type gives way to a new one."""
    found = keys.staged()
    if found is not None and key_type_of(found.public_key()) == key_type:
        return found
    if found is not None:
        keys.delete()
    return keys.stage(key_type)
