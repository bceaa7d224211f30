# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The list of custodies that a host may have. A host loads only the one it needs."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._core.ports import KeyStore
    from .._host.place import Place


def _file(place: Place) -> KeyStore:
    from .file import FileKeyStore

    return FileKeyStore(place)


KEYSTORES: dict[str, t.Callable[[Place], KeyStore]] = {"file": _file}
