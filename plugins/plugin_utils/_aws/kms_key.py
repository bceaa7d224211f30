# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A key in AWS KMS as something that signs, and what KMS calls the types of keys."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

from ...module_utils._core.errors import Misconfigured

if t.TYPE_CHECKING:
    from .client import Client

WHO = "aws_kms"
MOST_RAW = 4096  # bytes of a message that KMS hashes itself


class Algorithm(t.NamedTuple):
    """What signs with a key: its name, and the hash of a message too long for KMS; None where it has to be whole."""

    name: str
    hash: str | None


_RSA = Algorithm("RSASSA_PKCS1_V1_5_SHA_256", "sha256")
_ML_DSA = Algorithm("ML_DSA_SHAKE_256", None)
SPECS = {
    "ecdsa-p256": "ECC_NIST_P256", "ecdsa-p384": "ECC_NIST_P384", "ecdsa-p521": "ECC_NIST_P521",
    "ed25519": "ECC_NIST_EDWARDS25519",
    "rsa-2048": "RSA_2048", "rsa-3072": "RSA_3072", "rsa-4096": "RSA_4096",
    "ml-dsa-44": "ML_DSA_44", "ml-dsa-65": "ML_DSA_65", "ml-dsa-87": "ML_DSA_87",
}  # fmt: skip
ALGORITHMS = {
    "ECC_NIST_P256": Algorithm("ECDSA_SHA_256", "sha256"),
    "ECC_NIST_P384": Algorithm("ECDSA_SHA_384", "sha384"),
    "ECC_NIST_P521": Algorithm("ECDSA_SHA_512", "sha512"),
    "ECC_NIST_EDWARDS25519": Algorithm("ED25519_SHA_512", None),
    "RSA_2048": _RSA, "RSA_3072": _RSA, "RSA_4096": _RSA,
    "ML_DSA_44": _ML_DSA, "ML_DSA_65": _ML_DSA, "ML_DSA_87": _ML_DSA,
}  # fmt: skip


class KmsKey:
    """A SigningKey; `uri` is its ARN, `spec` what KMS calls its type."""

    def __init__(self, client: Client, uri: str, spec: str) -> None:
        """Keep which key; nothing is asked yet."""
        self._client, self.uri, self.spec = client, uri, spec

    def public_key(self) -> t.Any:
        """Return the public key, which is asked for once. Raises Misconfigured for one that is not understood here."""
        return self._public_key

    @functools.cached_property
    def _public_key(self) -> t.Any:
        der = self._client.call("GetPublicKey", KeyId=self.uri)["PublicKey"]
        try:
            return load_der_public_key(der)
        except (ValueError, UnsupportedAlgorithm):
            raise Misconfigured(
                f"{WHO}: the public key of {self.uri} ({self.spec}) is not understood by the cryptography of the "
                "controller; upgrade it"
            ) from None

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`. KMS hashes 1 to 4096 bytes itself; of more, or none, it is told the hash."""
        algorithm = ALGORITHMS[self.spec]
        message, kind = data, "RAW"
        if not 0 < len(data) <= MOST_RAW:
            if algorithm.hash is None:
                raise Misconfigured(
                    f"{WHO}: a key of the type {self.spec} signs 1 to {MOST_RAW} bytes at a time, and these are "
                    f"{len(data)}; choose an ecdsa or rsa key.type"
                )
            message, kind = hashlib.new(algorithm.hash, data).digest(), "DIGEST"
        answer = self._client.call(
            "Sign", KeyId=self.uri, Message=message, MessageType=kind, SigningAlgorithm=algorithm.name
        )
        return bytes(answer["Signature"])
