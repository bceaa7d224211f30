# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What every client of ours has of TLS: whom it trusts, what it shows, and what it says of a stranger."""

from __future__ import annotations

import contextlib
import ssl

from .._core.errors import Misconfigured

_OTHER_NAME = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_NOT_NOW = (9, 10)  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED


def client() -> ssl.SSLContext:
    """Return a context that verifies certificate and name, and trusts nobody yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def trust_the_system(context: ssl.SSLContext) -> None:
    """Load the places that OpenSSL was built with: SSL_CERT_FILE and SSL_CERT_DIR would lead elsewhere."""
    places = ssl.get_default_verify_paths()
    for option, place in (("cafile", places.openssl_cafile), ("capath", places.openssl_capath)):
        with contextlib.suppress(FileNotFoundError):
            context.load_verify_locations(**{option: place})


def present(context: ssl.SSLContext, pair: tuple[str, str], who: str) -> None:
    """Show a certificate: the paths of it, with its chain, and of its key, in PEM. Raises Misconfigured for `who`."""
    certificate, key = pair
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"{who}: certificate {certificate} and private_key {key} cannot be used: {unreadable(error)}; "
            "write the paths of a pair in PEM, its key without a passphrase"
        ) from None


def unreadable(error: Exception) -> str:
    """Say why files of PEM could not be loaded."""
    said = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
    return said or ("it has a passphrase" if isinstance(error, ValueError) else "it is not PEM, or does not fit")


def untrusted(code: int) -> str:
    """Say what is wrong with a server's certificate, by OpenSSL's X509_V_ERR_* numbers."""
    if code in _OTHER_NAME:
        return "is for another name; correct url, or let the server show one for this name"
    if code in _NOT_NOW:
        return "has ended, or does not hold yet; renew it on the server, and look at the clock here"
    return (
        "is signed by nobody who is trusted here; name its authority in ca_bundle, if this is the right server at all"
    )


def _no_passphrase() -> str:
    raise ValueError("it has a passphrase")
