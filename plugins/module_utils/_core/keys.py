# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Private and public keys by the names of this collection (ecdsa-p256, rsa-3072, ml-dsa-65, ...)."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_der_public_key,
        load_pem_private_key,
        load_ssh_private_key,
    )

from .errors import Misconfigured

_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384", "secp521r1": "ecdsa-p521"}


def spki(public_key: t.Any) -> bytes:
    """Return the DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7)."""
    der: bytes = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def spki_sha256(public_key: t.Any) -> str:
    """Return the SHA-256 of the DER SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), in lower-case hex."""
    return hashlib.sha256(spki(public_key)).hexdigest()


def public_pem(der: bytes) -> str:
    """Return a public key in DER (RFC 5280, 4.1.2.7) as PEM (RFC 7468); raises ValueError for what is none."""
    try:
        found: bytes = load_der_public_key(der).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    except (TypeError, UnsupportedAlgorithm, InternalError):
        raise ValueError("not a public key that is known here") from None
    return found.decode("ascii")


def key_type_of(public_key: t.Any) -> str:
    """Return the name of a public key's type, `rsa-1024` and the like included, or its class in lower case."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return _CURVES.get(public_key.curve.name, public_key.curve.name)
    if isinstance(public_key, rsa.RSAPublicKey):
        return f"rsa-{public_key.key_size}"
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        return "ed25519"
    name = type(public_key).__name__.lower().replace("publickey", "").lstrip("_")
    if name == "dsa":
        return f"dsa-{public_key.key_size}"
    return "ml-dsa-" + name[5:7] if name.startswith("mldsa") else name


def generate(key_type: str) -> t.Any:
    """Make a private key; RSA exponents are 65537 (FIPS 186-5, A.1)."""
    family, _dash, size = key_type.partition("-")
    if family == "ecdsa":
        curves: dict[str, ec.EllipticCurve] = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
        return ec.generate_private_key(curves[size])
    if family == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=int(size))
    if family == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return _ml_dsa(size[-2:]).generate()


def check_makeable(key_type: str) -> None:
    """Raise Misconfigured for a type that the cryptography of this machine cannot make."""
    if key_type.startswith("ml-dsa-"):
        _ml_dsa(key_type[-2:])


def signing_hash(private_key: t.Any) -> t.Any:
    """Return the hash that cryptography's builders sign with; None where the algorithm brings its own."""
    from cryptography.hazmat.primitives import hashes

    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return hashes.SHA256() if private_key.curve.name == "secp256r1" else hashes.SHA384()
    return hashes.SHA256() if isinstance(private_key, rsa.RSAPrivateKey) else None


def to_pem(private_key: t.Any, form: str = "pkcs8") -> bytes:
    """Return PEM without encryption, for a file that only its owner reads: PKCS#8 (RFC 5958), or OpenSSH's own form."""
    written = PrivateFormat.OpenSSH if form == "openssh" else PrivateFormat.PKCS8
    pem: bytes = private_key.private_bytes(Encoding.PEM, written, NoEncryption())
    return pem


def form_of(pem: bytes) -> str:
    """Return in which of KEY_FORMS a private key is written."""
    return "openssh" if pem.startswith(_OPENSSH) else "pkcs8"


def from_pem(pem: bytes, *, ours: bool = True) -> t.Any:
    """Load a private key that this collection wrote: RSA's primes are not proved anew, the pair is compared later.

    One that is not `ours` is proved. Raises ValueError for anything else, a key with a passphrase included.
    """
    try:
        if not ours:
            return load_pem_private_key(pem, None)
        if form_of(pem) == "openssh":
            return load_ssh_private_key(pem, None)
        try:
            return load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        except TypeError:  # cryptography < 39
            return load_pem_private_key(pem, None)
    except (TypeError, UnsupportedAlgorithm, InternalError):
        raise ValueError("not a private key that opens without a passphrase") from None


def _ml_dsa(size: str) -> t.Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        return getattr(mldsa, f"MLDSA{size}PrivateKey")
    except (ImportError, AttributeError):
        import cryptography

        raise Misconfigured(
            f"host: its cryptography {cryptography.__version__} cannot make ml-dsa-{size} keys; "
            "install a newer one (>= 50) for its Python"
        ) from None
