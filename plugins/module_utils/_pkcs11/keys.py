# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A key in a token, as something that signs."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .._core.errors import Misconfigured
from .kinds import KINDS, type_of
from .library import pkcs11
from .uri import Uri, text

if t.TYPE_CHECKING:
    from .objects import Pair
    from .token import OpenToken


class TokenKey:
    """A private key that signs in its token. It may be kept as long as one likes: it finds its handle again."""

    def __init__(self, token: OpenToken, pair: Pair) -> None:
        """Keep which key it is; the caller holds the token's lock. Raises KeysteadError where it cannot be read."""
        self.id, self.label = pair.id, pair.label
        self.uri = text(Uri(token.label, token.serial, pair.id, pair.label))
        self._token = token
        self._private, self._epoch = t.cast("t.Any", None), -1
        self._check(pair)
        try:
            self.type = type_of(pair.public or pair.private)
            kind = KINDS.get(self.type)
            if kind is None or not kind.signs:
                raise Misconfigured(
                    f"pkcs11: {token.name} has {self.uri} with a key of type {self.type}, which is not used"
                )
            self._public = public_key_of(self.type, pair)
        except RuntimeError as error:
            raise token.said(error, f"reading the public key of {self.uri}") from None
        self._hash = kind.hash
        self._raw = kind.family == "EC"
        self._mechanism = getattr(pkcs11().Mechanism, kind.signs)

    def public_key(self) -> t.Any:
        """Return the public key, as one of cryptography's."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Return the signature of data as it stands in a certificate. Raises KeysteadError."""
        if self._hash is not None:
            data = hashlib.new(self._hash, data).digest()
        with self._token.lock:
            self._token.ready()
            if self._epoch != self._token.epoch:
                self._token.take(1)
                self._find()
            try:
                signature: bytes = self._private.sign(data, mechanism=self._mechanism)
            except RuntimeError as error:
                raise self._token.said(error, f"signing with {self.uri}") from None
        return der(signature) if self._raw else signature

    def _check(self, pair: Pair) -> None:
        if not hasattr(pair.private, "sign"):
            raise Misconfigured(
                f"pkcs11: {self._token.name} has {self.uri} which may not sign (CKA_SIGN is false); use another key"
            )

    def _find(self) -> None:
        """Take the handle of the session that is open now."""
        there = self._token.objects.identified(self.id)
        found = [pair for pair in there if pair.private is not None and pair.label == self.label]
        if len(found) != 1:
            how = "does not have it any more" if not found else f"has {len(found)} keys with its label and id"
            raise Misconfigured(f"pkcs11: {self._token.name} {how}: {self.uri}; look into the token")
        self._check(found[0])
        self._private, self._epoch = found[0].private, self._token.epoch


def der(signature: bytes) -> bytes:
    """Return ECDSA's two numbers of equal length (PKCS#11 2.40, mechanisms 2.3.1) as Ecdsa-Sig-Value (RFC 3279)."""
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))


def public_key_of(key_type: str, pair: Pair) -> t.Any:
    """Return the public key; where its own object is gone, what the private one tells."""
    attribute, handle = pkcs11().Attribute, pair.public or pair.private
    if key_type.startswith("rsa"):
        exponent, modulus = (
            int.from_bytes(handle[name], "big") for name in (attribute.PUBLIC_EXPONENT, attribute.MODULUS)
        )
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    # CKA_EC_POINT is an octet string in DER; some tokens leave that wrapping out. What it wraps is at its end.
    point = bytes(handle[attribute.EC_POINT])
    if key_type == "ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(point[-32:])
    curves: dict[str, t.Any] = {"ecdsa-p256": ec.SECP256R1, "ecdsa-p384": ec.SECP384R1, "ecdsa-p521": ec.SECP521R1}
    curve = curves[key_type]()
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point[-(1 + 2 * ((curve.key_size + 7) // 8)) :])
