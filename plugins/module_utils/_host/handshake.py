# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""TLS handshakes as a client: what a server serves, and whether it accepts us."""

from __future__ import annotations

import socket
import ssl
import typing as t

from .endpoint import open_connection
from .starttls import seconds_left

if t.TYPE_CHECKING:
    from .endpoint import Endpoint

PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN; `ssl` names it from Python 3.10 on
ML_DSA_OIDS = {  # id-ml-dsa-*, DER (FIPS 204, RFC 9881)
    bytes.fromhex("060960864801650304") + end: name
    for end, name in ((b"\x03\x11", "ml-dsa-44"), (b"\x03\x12", "ml-dsa-65"), (b"\x03\x13", "ml-dsa-87"))
}
ALERT_WAIT = 0.5


def verifying(anchors: bytes, *, check_name: bool) -> ssl.SSLContext:
    """Return a context that trusts `anchors` (PEM or DER; any of them may end a chain, RFC 5280, 6.1.1) and no other.

    Raises OSError or ValueError when they cannot be read.
    """
    context = _context()
    context.check_hostname = check_name
    context.verify_flags |= t.cast("ssl.VerifyFlags", PARTIAL_CHAIN)
    context.load_verify_locations(cadata=anchors.decode("ascii") if anchors.startswith(b"-") else anchors)
    return context


def looking() -> ssl.SSLContext:
    """Return a context that accepts whatever is served, to find out what it is."""
    context = _context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def served(endpoint: Endpoint, context: ssl.SSLContext, deadline: float) -> bytes:
    """Return the leaf (DER) that the server shows. Raises OSError (SSLCertVerificationError among them) and Denied."""
    with _handshake(endpoint, context, deadline) as connection:
        return connection.getpeercert(binary_form=True) or b""


def accepted(endpoint: Endpoint, context: ssl.SSLContext, deadline: float) -> None:
    """Return when the server accepts the certificate in `context`; raises what `served` raises.

    In TLS 1.3 a client is done before the server has looked at its certificate (RFC 8446, 4.4): a rejection comes as
    an alert instead of the first byte.
    """
    with _handshake(endpoint, context, deadline) as connection:
        if connection.version() == "TLSv1.3":
            connection.settimeout(min(ALERT_WAIT, seconds_left(deadline)))
            try:
                connection.recv(1)
            except socket.timeout:
                return


def _handshake(endpoint: Endpoint, context: ssl.SSLContext, deadline: float) -> ssl.SSLSocket:
    connection = open_connection(endpoint, deadline)
    try:
        return context.wrap_socket(connection, server_hostname=endpoint.name, suppress_ragged_eofs=False)
    except BaseException:
        connection.close()
        raise


def unsupported(certificate: bytes) -> str | None:
    """Return why this host's OpenSSL cannot handle `certificate` (DER): ML-DSA needs OpenSSL 3.5."""
    return unsupported_type(next((name for oid, name in ML_DSA_OIDS.items() if oid in certificate), ""))


def unsupported_type(name: str) -> str | None:
    """Return why this host's OpenSSL cannot do a handshake with keys of a type."""
    major, minor = ssl.OPENSSL_VERSION_INFO[:2]
    if not name.startswith("ml-dsa-") or (major, minor) >= (3, 5):
        return None
    return f"this host's {openssl()} cannot do a handshake with {name}; use prove.command"


def openssl() -> str:
    """Return which library this host's Python has, `OpenSSL 3.0`."""
    major, minor = ssl.OPENSSL_VERSION_INFO[:2]
    return f"{ssl.OPENSSL_VERSION.split()[0]} {major}.{minor}"
