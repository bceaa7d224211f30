# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The list of custodies that a host may have. A host loads only the one it needs."""

from __future__ import annotations

import typing as t

from .._core.ports import Slot

if t.TYPE_CHECKING:
    from .._core.model import Key
    from .._core.ports import KeyStore
    from .._host.place import Place


def _file(place: Place, key: Key) -> KeyStore:  # noqa: ARG001 - every custody is asked alike
    from .file import FileKeyStore

    return FileKeyStore(place)


def _pkcs11(place: Place, key: Key) -> KeyStore:
    from .pkcs11 import Pkcs11KeyStore

    if key.token is None or key.label is None:
        raise ValueError("only the controller reaches this token")
    return Pkcs11KeyStore(key.token, Slot(key.label, *place.key_uris()))


KEYSTORES: dict[str, t.Callable[[Place, Key], KeyStore]] = {"file": _file, "pkcs11": _pkcs11}


def keystore(place: Place, key: Key) -> KeyStore:
    """Return where the keys of an identity are, of a custody that the host reaches (`Key.on_host`)."""
    return KEYSTORES[key.custody](place, key)
