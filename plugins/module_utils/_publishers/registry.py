# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The list of publishers that a host may have. A host loads only the one it needs."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._core.publication import Publication
    from .._host.copy_file import Form


def _pkcs12(publication: Publication, name: str) -> Form:
    from .pkcs12 import Pkcs12

    return Pkcs12(publication, name)


def _pem_bundle(_publication: Publication, _name: str) -> Form:
    from .pem_bundle import PemBundle

    return PemBundle()


PUBLISHERS: dict[str, t.Callable[[Publication, str], Form]] = {"pkcs12": _pkcs12, "pem_bundle": _pem_bundle}
