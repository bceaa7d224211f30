# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A key that lives in a custody as one of cryptography's private keys, so that its own builders sign with it.

They ask what a key is by its class, and then for its signature. Whatever else a private key could do is refused here,
and so is every way to sign that is not the one that SigningKey.sign means: a signature by another hash than the one
that the certificate names would be made, and would be worth nothing.
"""

from __future__ import annotations

import contextlib
import functools
import types
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import key_type_of, signing_hash

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import SigningKey

ML_DSA = ("44", "65", "87")


def private_key(key: SigningKey) -> t.Any:
    """Return an instance of RSAPrivateKey, EllipticCurvePrivateKey, Ed25519PrivateKey or MLDSA*PrivateKey that signs.

    Raises Misconfigured for a key of another type.
    """
    public_key = key.public_key()
    for behaviour, public, private in _kinds():
        if isinstance(public_key, public):
            return _class(behaviour, private)(key, public_key)
    raise Misconfigured(f"key {key.uri} is of type {key_type_of(public_key)}, which signs no certificates; use another")


class _Key:
    """What all of them share: a public key, and no private number."""

    def __init__(self, key: SigningKey, public_key: t.Any) -> None:
        self._key, self._public_key = key, public_key

    @property
    def uri(self) -> str:
        """What names the key where it lives."""
        return self._key.uri

    @property
    def key_size(self) -> int:
        """Its size in bits."""
        return int(self._public_key.key_size)

    def public_key(self) -> t.Any:
        """Return the public key."""
        return self._public_key

    def __copy__(self) -> t.Any:
        return self

    def __deepcopy__(self, memo: dict[int, t.Any]) -> t.Any:
        return self

    def _refused(self, *_args: t.Any, **_named: t.Any) -> t.NoReturn:
        """Raise Misconfigured in place of everything that needs the private key itself."""
        raise Misconfigured(f"key {self.uri} never leaves its custody, and only signs; use a key in a file for this")

    private_bytes = private_bytes_raw = private_numbers = exchange = decrypt = sign_mu = _refused

    def _check(self, *, fits: bool, how: str) -> None:
        if not fits:
            raise Misconfigured(f"key {self.uri} signs with {how} and in no other way; ask for that")


class _Rsa(_Key):
    def sign(self, data: bytes, padding_: t.Any, algorithm: t.Any) -> bytes:
        """Sign by PKCS #1 v1.5 with SHA-256 (RFC 8017, 8.2)."""
        fits = isinstance(padding_, padding.PKCS1v15) and isinstance(algorithm, hashes.SHA256)
        self._check(fits=fits, how="PKCS #1 v1.5 and SHA-256")
        return self._key.sign(bytes(data))


class _Ecdsa(_Key):
    @property
    def curve(self) -> t.Any:
        """The curve that the key is on."""
        return self._public_key.curve

    def sign(self, data: bytes, signature_algorithm: t.Any) -> bytes:
        """Sign by ECDSA with the hash that fits the curve (RFC 5758, 3.2)."""
        wanted = signing_hash(self)
        fits = (
            isinstance(signature_algorithm, ec.ECDSA)
            and isinstance(signature_algorithm.algorithm, type(wanted))
            and not signature_algorithm.deterministic_signing
        )
        self._check(fits=fits, how=f"ECDSA and {wanted.name}")
        return self._key.sign(bytes(data))


class _Whole(_Key):
    def sign(self, data: bytes, context: bytes | None = None) -> bytes:
        """Sign without a hash before and without a context (RFC 8032, 5.1.6; RFC 9881, 3)."""
        self._check(fits=not context, how="no context")
        return self._key.sign(bytes(data))


@functools.cache
def _class(behaviour: t.Any, private: t.Any) -> t.Any:
    """Return the class of both: made where it is needed, since Ansible's checks import this without cryptography."""
    return types.new_class(behaviour.__name__.lstrip("_") + "InCustody", (behaviour, private))


def _kinds() -> t.Iterator[tuple[t.Any, type, type]]:
    """Yield how a key behaves, its public and its private class."""
    yield _Ecdsa, ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey
    yield _Rsa, rsa.RSAPublicKey, rsa.RSAPrivateKey
    yield _Whole, ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey
    with contextlib.suppress(ImportError):
        from cryptography.hazmat.primitives.asymmetric import mldsa

        for size in ML_DSA:
            yield _Whole, getattr(mldsa, f"MLDSA{size}PublicKey"), getattr(mldsa, f"MLDSA{size}PrivateKey")
