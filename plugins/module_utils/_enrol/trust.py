# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Whether the authorities that a server names lead to a trusted root: a host looks before it asks to sign.

What comes of the request is judged by the controller. This only keeps a server that would be refused from signing.
"""

from __future__ import annotations

import base64
import contextlib
import typing as t
import warnings

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import pkcs7

from .._core.pki import UNREADABLE

MOST = 64  # certificates


def lead_to(body: bytes, roots: t.Sequence[str]) -> bool:
    """Tell whether a body of certificates (RFC 8951, 2) has a root (DER in base64), or what such a root signed."""
    try:
        with warnings.catch_warnings():  # one for BER, which some authorities write in place of DER
            warnings.simplefilter("ignore")
            named = pkcs7.load_der_pkcs7_certificates(base64.b64decode(b"".join(body.split()), validate=True))
        trusted = [x509.load_der_x509_certificate(base64.b64decode(one)) for one in roots]
        return len(named) <= MOST and any(one == root or _signed_by(one, root) for one in named for root in trusted)
    except UNREADABLE:
        return False


def _signed_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    """Tell whether a root signed it, as far as this cryptography can: before 40 it can compare the names only."""
    if certificate.issuer != root.subject or not hasattr(certificate, "verify_directly_issued_by"):
        return certificate.issuer == root.subject
    try:
        certificate.verify_directly_issued_by(root)
    except InvalidSignature:
        return False
    except UNREADABLE:
        return False
    return True
