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


def staged(keys: KeyStore, key_type: str, rotation: Rotation | None = None, spent: str | None = None) -> t.Any:
    """Return the key that waits for its credential.

    One of another type, of unknown age, or with the id `spent` (SHA-256 of its SPKI) gives way to a new one.
    """
    found = keys.staged()
    if found is not None and key_type_of(found.public_key()) == key_type and _may_wait(found, rotation, spent):
        return found
    if found is not None:
        keys.delete()
    return keys.stage(key_type)


def _may_wait(key: t.Any, rotation: Rotation | None, spent: str | None) -> bool:
    if rotation is None and spent is None:
        return True
    public_id = spki_sha256(key.public_key())
    return public_id != spent and (rotation is None or public_id == rotation.young)
