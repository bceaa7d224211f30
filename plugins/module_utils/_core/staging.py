# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The next key: made once, and found again by the run after one that was cut off (rule R1)."""

from __future__ import annotations

import typing as t

from .keys import key_type_of, spki_sha256

if t.TYPE_CHECKING:
    from .model import Rotation
    from .ports import KeyStore


def staged(keys: KeyStore, key_type: str, rotation: Rotation | None = None) -> t.Any:
    """Return the key that waits for its credential; one of another type, or of unknown age, gives way to a new one."""
    found = keys.staged()
    if found is not None and key_type_of(found.public_key()) == key_type and _is_young(found, rotation):
        return found
    if found is not None:
        keys.delete()
    return keys.stage(key_type)


def _is_young(key: t.Any, rotation: Rotation | None) -> bool:
    return rotation is None or spki_sha256(key.public_key()) == rotation.young
