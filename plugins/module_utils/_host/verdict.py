# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The sentences of a proof: which of place, key, chain and name is not as it should be."""

from __future__ import annotations

import contextlib
import socket
import ssl
import typing as t

from .._core.errors import Denied, first_line
from .._core.keys import spki_sha256
from .._core.pki import UNREADABLE

with contextlib.suppress(ImportError):
    from cryptography import x509

if t.TYPE_CHECKING:
    from .endpoint import Endpoint

OK = "ok"
# X509_V_ERR_* of OpenSSL: hostname or IP address mismatch; issuer missing, self-signed, or signature not by it
WRONG_NAME = (62, 64)
NO_CHAIN = (2, 7, 18, 19, 20, 21)


def other_certificate(endpoint: Endpoint, leaf: bytes, public_id: str) -> str:
    """Say how the served `leaf` (DER) differs from ours: by its key, or under the same key (`public_id`: its SPKI)."""
    try:
        certificate = x509.load_der_x509_certificate(leaf)
        served_id = spki_sha256(certificate.public_key())
    except UNREADABLE as error:
        return f"{endpoint} serves another certificate, which cannot be read ({first_line(error)})"
    if served_id != public_id:
        return f"{endpoint} serves another key (SPKI {served_id})"
    return f"{endpoint} serves another certificate of the same key (serial {certificate.serial_number:x})"


def not_verified(endpoint: Endpoint, error: ssl.SSLCertVerificationError) -> str:
    """Say why the right certificate is still not good enough."""
    if error.verify_code in WRONG_NAME:
        return f"{endpoint}: the served certificate does not name host {endpoint.name}"
    if error.verify_code in NO_CHAIN:
        return f"{endpoint} serves the right certificate without a chain to the pinned root ({error.verify_message})"
    return f"{endpoint} serves the right certificate, which does not verify ({error.verify_message})"


def not_trusted(endpoint: Endpoint, error: ssl.SSLCertVerificationError) -> str:
    """Say why the server that we prove ourselves to is not to be trusted."""
    if error.verify_code in WRONG_NAME:
        return f"{endpoint}: the server's certificate does not name host {endpoint.name}"
    return f"{endpoint}: the server's certificate does not chain to the pinned root ({error.verify_message})"


def no_handshake(endpoint: Endpoint, error: OSError | Denied) -> str:
    """Say why there was no handshake at all."""
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return f"{endpoint} closed the connection during the handshake"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or first_line(error)).replace("_", " ").lower()
        return f"{endpoint} refused the handshake ({reason})" if "alert" in reason else _no_tls(endpoint, reason)
    if isinstance(error, Denied):
        return _no_tls(endpoint, str(error))
    return f"{endpoint} {_no_connection(error)}"


def _no_connection(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refused the connection"
    if isinstance(error, ConnectionError):
        return "closed the connection during the handshake"
    if isinstance(error, socket.gaierror):
        return f"cannot be found ({error.strerror})"
    return f"cannot be reached ({error.strerror or first_line(error)})"


def _no_tls(endpoint: Endpoint, reason: str) -> str:
    return f"{endpoint}: no TLS there ({reason})"
