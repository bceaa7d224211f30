# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The public keys of rows, of X.509 and of SSH."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

from ...module_utils._core import credentials, pki

if t.TYPE_CHECKING:
    from .row import Row

_UNREADABLE: tuple[type[Exception], ...] = (*pki.MALFORMED, IndexError)


def key_of(row: Row) -> t.Any:
    """Return the public key of a row as cryptography has it; None where there is none that can be read."""
    if row.certificate is None:
        return None
    try:
        return load_der_public_key(credentials.public_key(credentials.encoded(row.certificate.encode())))
    except _UNREADABLE:
        return None


def modulus_of(public_key: t.Any) -> int | None:
    """Return the modulus of a key of RSA."""
    return public_key.public_numbers().n if isinstance(public_key, RSAPublicKey) else None
