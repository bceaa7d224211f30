# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a token says of a key that is in it: whether it can come out, where it was made, what it may be used for."""

from __future__ import annotations

import typing as t

from .library import pkcs11

GUARDS = ("extractable", "sensitive", "never_extractable", "always_sensitive", "local")
CAPABILITIES = (
    "sign", "sign_recover", "verify", "verify_recover", "encrypt", "decrypt", "wrap", "unwrap", "derive",
)  # fmt: skip


def read(handle: t.Any, names: t.Iterable[str] = GUARDS + CAPABILITIES) -> dict[str, bool | None]:
    """Return attributes of an object by name (`extractable` is CKA_EXTRACTABLE); None where it has no such one.

    Raises what python-pkcs11 raises where the object or the session is gone.
    """
    return {name: _read(handle, name) for name in names}


def _read(handle: t.Any, name: str) -> bool | None:
    library = pkcs11()
    try:
        return bool(handle[getattr(library.Attribute, name.upper())])
    except (library.exceptions.AttributeTypeInvalid, library.exceptions.AttributeSensitive):
        return None
