# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The list of custodies that a host may have. A host loads only the one it needs."""

from __future__ import annotations

import typing as t

from .._core.ports import Slot

if t.TYPE_CHECKING:
    from .._core.key import Key
    from .._core.ports import KeyStore
    from .._host.place import Place


def _file(place: Place | None, key: Key, current: str | None) -> KeyStore:  # noqa: ARG001 - all are asked alike
    from .file import FileKeyStore

    if place is None:
        raise ValueError("there is no directory")
    return FileKeyStore(place, key.form)


def _pkcs11(place: Place | None, key: Key, current: str | None) -> KeyStore:
    from .pkcs11 import Pkcs11KeyStore

    if key.token is None or key.label is None:
        raise ValueError("only the controller reaches this token")
    found, used = place.key_uris() if place else (None, ())
    return Pkcs11KeyStore(key.token, Slot(key.label, current or found, used, key.spent))


KEYSTORES: dict[str, t.Callable[[Place | None, Key, str | None], KeyStore]] = {"file": _file, "pkcs11": _pkcs11}


def keystore(place: Place | None, key: Key, current: str | None = None) -> KeyStore:
    """Return where the keys of an identity are, of a custody that the host reaches (`Key.on_host`).

    Outside files the identity may have no directory; `current` is the URI of another generation's key than its own.
    """
    return KEYSTORES[key.custody](place, key, current)
