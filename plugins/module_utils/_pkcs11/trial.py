# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Whether a key in a token does what it is for: it signs, or decrypts, and what comes out is looked at here."""

from __future__ import annotations

import contextlib
import os
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from .._core.errors import NotConverged
from .keys import TokenKey, public_key_of
from .kinds import KINDS, type_of
from .library import pkcs11
from .lookup import uri_of

if t.TYPE_CHECKING:
    from .objects import Pair
    from .token import OpenToken

TRIAL = b"keystead: what a key is asked to show before it is used"
_BLOCK = 16  # bytes, of AES


def prove(token: OpenToken, pair: Pair) -> None:
    """Let a key sign, else decrypt what was encrypted for it; one that does neither need only be whole.

    The caller holds the token's lock. Raises NotConverged for a key that is no use, KeysteadError.
    """
    uri = uri_of(token, pair)
    if pair.secret is None and not pair.whole:
        raise NotConverged(f"pkcs11: {token.name} has only half of {uri}")
    try:
        good = _tried(token, pair)
    except RuntimeError as error:
        raise token.said(error, f"trying {uri}") from None
    if not good:
        raise NotConverged(f"pkcs11: {token.name} has {uri}, which does not do what it is for")


def _tried(token: OpenToken, pair: Pair) -> bool:
    if hasattr(pair.private, "sign"):
        key = TokenKey(token, pair)
        return verifies(key.type, key.public_key(), key.sign(TRIAL))
    if hasattr(pair.private, "decrypt"):
        return _decrypts(pair)
    if hasattr(pair.secret, "encrypt") and hasattr(pair.secret, "decrypt"):
        return _comes_back(pair)
    return True


def verifies(key_type: str, public_key: t.Any, signature: bytes) -> bool:
    """Tell whether a signature of TRIAL is right, as certificates have them; of RSA with SHA-256."""
    digest = (KINDS[key_type].hash or "").upper() if key_type in KINDS else ""
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, TRIAL, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, TRIAL, ec.ECDSA(getattr(hashes, digest)()))
        else:
            public_key.verify(signature, TRIAL)
    except InvalidSignature:
        return False
    return True


def _decrypts(pair: Pair) -> bool:
    """Encrypt here, decrypt there. The padding protects nothing: what is encrypted everybody may know."""
    public_key = public_key_of(type_of(pair.public), pair)
    hidden = public_key.encrypt(TRIAL, padding.PKCS1v15())
    return bytes(pair.private.decrypt(hidden, mechanism=pkcs11().Mechanism.RSA_PKCS)) == TRIAL


def _comes_back(pair: Pair) -> bool:
    said = {"mechanism_param": os.urandom(_BLOCK), "mechanism": pkcs11().Mechanism.AES_CBC_PAD}
    hidden = bytes(pair.secret.encrypt(TRIAL, **said))
    return hidden != TRIAL and bytes(pair.secret.decrypt(hidden, **said)) == TRIAL
