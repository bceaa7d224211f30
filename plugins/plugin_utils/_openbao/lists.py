# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The status of a certificate that a mount did not keep: by OCSP, else by the revocation lists of its issuer.

Both are signed, and nobody has to be logged in. The OCSP responder of an issuer with an ML-DSA key answers 500, so that
its lists count. With `auto_rebuild`, a revocation is in the delta list first, and in the complete one later.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import typing as t
from urllib.parse import quote

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core import pki
from ...module_utils._core.ports import Good, Revoked, Unknown
from .. import _ocsp as ocsp
from .. import _revocation_status as revocation_status
from .._path import signed_by
from .errors import Refused, not_understood, section

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .client import Client


class Lists:
    """What one issuer of a mount publishes; `issuer` returns its certificate."""

    def __init__(
        self, client: Client, mount: str, reference: str, issuer: Callable[[], x509.Certificate]
    ) -> None:
        """Keep whom to ask."""
        self._client, self._mount, self._issuer = client, mount, issuer
        self._path = f"{mount}/issuer/{reference or 'default'}/crl"

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what is published of a certificate (DER); Unknown where it is another's, or where nothing holds now."""
        try:
            leaf = x509.load_der_x509_certificate(certificate)
        except pki.MALFORMED:
            return Unknown()
        issuer, now = self._issuer(), dt.datetime.now(dt.UTC)
        if not signed_by(leaf, issuer):
            return Unknown()
        asked = quote(base64.b64encode(ocsp.request(leaf, issuer)).decode(), safe="")
        answered = ocsp.status(self._client.fetch(f"{self._mount}/ocsp/{asked}"), leaf, issuer, now)
        if not isinstance(answered, Unknown):
            return answered
        return revocation_status.status(leaf, issuer, self.complete(), self._list(f"{self._path}/delta"), now)

    def complete(self) -> bytes:
        """Return the complete list (DER) that is published now; empty where there is none."""
        return self._list(self._path)

    def _list(self, path: str) -> bytes:
        """Return a list (DER); empty where there is none."""
        try:
            said = section(self._client.public(path), "data").get("crl")
        except Refused as refused:
            if refused.status != 404:
                raise
            return b""
        if said in (None, ""):
            return b""
        try:
            return x509.load_pem_x509_crl(str(said).encode()).public_bytes(Encoding.DER)
        except pki.MALFORMED:
            raise not_understood("revocation list") from None
