# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A SigningKey in memory, for what a key is asked; where keys really live, tests/contract has the real backends."""

from __future__ import annotations

import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate, signing_hash
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa


class SoftKey:
    """It signs as the port says; `asked` is how often."""

    uri = "soft:1"

    def __init__(self, key_type: str, key: t.Any = None) -> None:
        """Make a key of this type, or take one."""
        self.real = key or generate(key_type)
        self.asked = 0

    def public_key(self) -> t.Any:
        """Return the public key."""
        return self.real.public_key()

    def sign(self, data: bytes) -> bytes:
        """Return a signature as it stands in a certificate."""
        self.asked += 1
        if isinstance(self.real, ec.EllipticCurvePrivateKey):
            return self.real.sign(data, ec.ECDSA(signing_hash(self.real)))
        if isinstance(self.real, rsa.RSAPrivateKey):
            return self.real.sign(data, padding.PKCS1v15(), signing_hash(self.real))
        return t.cast("bytes", self.real.sign(data))
