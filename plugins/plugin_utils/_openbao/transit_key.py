# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One version of a transit key as something that signs."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .errors import not_understood, spoken_by
from .transit import WHO

if t.TYPE_CHECKING:
    from .client import Json
    from .transit import Transit

_LENGTHS = {"ed25519": 64, "ml-dsa-44": 2420, "ml-dsa-65": 3309, "ml-dsa-87": 4627}  # bytes; RFC 8032, FIPS 204
_SHA384 = "ecdsa-p384"


class TransitKey:
    """SigningKey over a version of a key of the type `key_type`.

    What OpenBao 2.7 does was looked at by hand. It tells the public key of each version: RSA and ECDSA as PEM of a
    SubjectPublicKeyInfo, Ed25519 and ML-DSA as the raw bytes in Base64 (RFC 8032, 5.1.5; FIPS 204, 7.2). Its ML-DSA is
    the pure one with an empty context, which is what certificates and requests have (RFC 9881, 3): cryptography 50
    verifies a request and a certificate that were signed with all three sizes. It hashes nothing there, whatever
    hash_algorithm and prehashed say.
    """

    def __init__(self, transit: Transit, version: int, key_type: str, public: str) -> None:
        """Take what the server says of its public key. Raises Unavailable where that is none."""
        self._transit, self._version, self._type = transit, version, key_type
        with spoken_by(WHO):
            try:
                self._public_key = _loaded(key_type, public)
            except (ValueError, UnsupportedAlgorithm):
                raise not_understood("public key") from None

    @property
    def uri(self) -> str:
        """What names this version for ever; see transit_uri.py."""
        return self._transit.place.uri(self._version)

    def public_key(self) -> t.Any:
        """Return the public key."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`. Where it is hashed first, only the hash leaves this machine."""
        signature = self._transit.sign(self._version, *self._asked(data))
        if not self._fits(signature):
            with spoken_by(WHO):
                raise not_understood("signature")
        return signature

    def _asked(self, data: bytes) -> tuple[bytes, Json]:
        if self._type in _LENGTHS:
            return data, {}
        size = 384 if self._type == _SHA384 else 256
        said = {"prehashed": True, "hash_algorithm": f"sha2-{size}"}
        how = {"signature_algorithm": "pkcs1v15"} if self._type.startswith("rsa") else {"marshaling_algorithm": "asn1"}
        return hashlib.new(f"sha{size}", data).digest(), {**said, **how}

    def _fits(self, signature: bytes) -> bool:
        """Tell whether it has the form of a signature of this type. What it is worth, whoever uses it verifies."""
        if not self._type.startswith("ecdsa"):
            return len(signature) == (_LENGTHS.get(self._type) or self._public_key.key_size // 8)
        try:
            return all(decode_dss_signature(signature))
        except ValueError:
            return False


def _loaded(key_type: str, public: str) -> t.Any:
    if key_type not in _LENGTHS:
        return load_pem_public_key(public.encode())
    raw = base64.b64decode(public, validate=True)
    if key_type == "ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(raw)
    from cryptography.hazmat.primitives.asymmetric import mldsa

    return getattr(mldsa, f"MLDSA{key_type[-2:]}PublicKey").from_public_bytes(raw)
