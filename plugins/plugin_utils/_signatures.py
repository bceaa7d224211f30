# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a key made the signature of a certificate, whatever names its owner and the certificate have."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.x509.oid import SignatureAlgorithmOID

from ..module_utils._core.pki import MALFORMED

UNVERIFIABLE: tuple[type[Exception], ...] = MALFORMED
with contextlib.suppress(NameError):
    UNVERIFIABLE += (InvalidSignature,)

if t.TYPE_CHECKING:
    from cryptography import x509


def verifies(certificate: x509.Certificate, key: t.Any) -> bool:
    """Tell whether a key made the signature of a certificate; one that is neither RSA, ECDSA nor Ed25519 did not."""
    try:
        signature, content = certificate.signature, certificate.tbs_certificate_bytes
        parameters: t.Any = certificate.signature_algorithm_parameters
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, content, parameters, t.cast("t.Any", certificate.signature_hash_algorithm))
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, parameters)
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, content)
            return certificate.signature_algorithm_oid == SignatureAlgorithmOID.ED25519
        else:
            return False
    except UNVERIFIABLE:
        return False
    return True
