# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whom a client of ours trusts in TLS: always somebody, and never whom an environment variable names (T1)."""

from __future__ import annotations

import contextlib
import ssl
import typing as t

with contextlib.suppress(ImportError):
    from requests.adapters import HTTPAdapter

from ..module_utils._core.errors import Misconfigured

IS_THERE = "HTTPAdapter" in globals()


class Verifying(HTTPAdapter if t.TYPE_CHECKING or IS_THERE else object):  # type: ignore[misc]
    """Trusts whom its context trusts, and nobody else: requests would add its own list."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:  # noqa: ARG002 - as it calls us
        conn.cert_reqs = "CERT_REQUIRED"


def context(ca_bundle: str | None, certificate: tuple[str, str] | None = None, *, who: str) -> ssl.SSLContext:
    """Return a context that trusts `ca_bundle` alone, else the system, and shows a certificate. `who` speaks.

    No environment variable has a say. Raises Misconfigured.
    """
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and name
    found.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if ca_bundle is not None:
            found.load_verify_locations(cafile=ca_bundle)
        else:
            _trust_the_system(found)
    except OSError as error:  # ssl.SSLError is one
        raise Misconfigured(
            f"{who}: ca_bundle {ca_bundle}: {_unreadable(error)}; write the path of PEM certificates"
        ) from None
    if certificate is not None:
        try:
            found.load_cert_chain(*certificate, password=_no_passphrase)
        except (OSError, ValueError) as error:
            raise Misconfigured(
                f"{who}: auth.cert: certificate {certificate[0]} and private_key {certificate[1]} cannot be used: "
                f"{_unreadable(error)}; write the paths of a pair in PEM, its key without a passphrase"
            ) from None
    return found


def _trust_the_system(context: ssl.SSLContext) -> None:
    """Load the places that OpenSSL was built with: SSL_CERT_FILE and SSL_CERT_DIR would lead elsewhere."""
    places = ssl.get_default_verify_paths()
    for option, place in (("cafile", places.openssl_cafile), ("capath", places.openssl_capath)):
        with contextlib.suppress(FileNotFoundError):
            context.load_verify_locations(**{option: place})


def _no_passphrase() -> str:
    raise ValueError("it has a passphrase")


def _unreadable(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
    return said or ("it has a passphrase" if isinstance(error, ValueError) else "it is not PEM, or does not fit")
