# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is published of a certificate where it says that this is: by OCSP, else in a revocation list, as anybody asks.

Each list is fetched once, however many certificates it is about. What is signed by somebody else, stale, or cannot be
had says nothing: the answer is Unknown, and never Good.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import AuthorityInformationAccessOID

from ..module_utils._core.pki import MALFORMED
from ..module_utils._core.ports import Good, Revoked, Unknown
from . import _ocsp as ocsp
from . import _revocation_list as revocation_list
from ._deadline import Worker
from ._distribution_points import points
from ._path import signed_by

if t.TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 10.0  # seconds for one answer
LARGEST_LIST = 64 * 1024 * 1024
LARGEST_RESPONSE = 64 * 1024
NONCE = 32  # bytes (RFC 9654, 2.1)
_MOST_PLACES = 4
_ASKED = {"Content-Type": "application/ocsp-request"}
Status = Good | Revoked | Unknown


class Told(t.NamedTuple):
    """How a certificate stands and, where that is Unknown, why; `source` is who says so: issuer, ocsp or crl.

    What is signed says when it was said, and until when that holds.
    """

    status: Status
    why: str = ""
    source: str | None = None
    this_update: dt.datetime | None = None
    next_update: dt.datetime | None = None


class Published:
    """Asks responders and fetches lists. No environment variable has a say, and no redirect is followed."""

    def __init__(self, ca_bundle: str | None = None) -> None:
        """Fetch nothing yet. `ca_bundle` is the path of the authorities that may have signed for servers (PEM)."""
        self._worker, self._ca_bundle = Worker(), ca_bundle
        self._fetched: dict[str, bytes | None] = {}
        self._lists: dict[tuple[str, x509.Certificate], revocation_list.RevocationList | None] = {}
        self._silent: set[str] = set()

    def status(self, certificate: bytes, above: Sequence[bytes], patience: float = PATIENCE) -> Told:
        """Return what is published of a certificate (DER); each answer may take some seconds.

        Its issuer has to be among those `above` (DER).
        """
        try:
            leaf = x509.load_der_x509_certificate(certificate)
            issuer = next((one for one in map(x509.load_der_x509_certificate, above) if signed_by(leaf, one)), None)
            responders, lists = _responders(leaf), _lists(leaf)
        except MALFORMED:
            return Told(Unknown(), "it cannot be read")
        if not responders and not lists:
            return Told(Unknown(), "it names no responder and no revocation list")
        if issuer is None:
            return Told(Unknown(), "the certificate that signed it is not known here")
        for ask, places in ((self._respond, responders), (self._listed, lists)):
            for place in places[:_MOST_PLACES]:
                found = ask(place, leaf, issuer, patience)
                if not isinstance(found.status, Unknown):
                    return found
        return Told(Unknown(), f"{' and '.join([*responders, *lists][:2])} say nothing that holds now")

    def _respond(self, place: str, leaf: x509.Certificate, issuer: x509.Certificate, patience: float) -> Told:
        nonce = os.urandom(NONCE)
        answer = self._fetch(place, LARGEST_RESPONSE, patience, ocsp.request(leaf, issuer, nonce))
        if not answer:
            return Told(Unknown())
        found = ocsp.status(answer, leaf, issuer, dt.datetime.now(dt.UTC), nonce)
        return Told(found, "", "ocsp", *ocsp.times(answer))

    def _listed(self, place: str, leaf: x509.Certificate, issuer: x509.Certificate, patience: float) -> Told:
        if place not in self._fetched:
            self._fetched[place] = _der(self._fetch(place, LARGEST_LIST, patience))
        if (place, issuer) not in self._lists:  # to find out who signed a long one takes a while
            der = self._fetched[place]
            self._lists[place, issuer] = revocation_list.read(der, issuer, dt.datetime.now(dt.UTC)) if der else None
        found = self._lists[place, issuer]
        said = revocation_list.said(leaf, issuer, found, None)
        return Told(said, "", "crl", found.this_update, found.next_update) if found else Told(said)

    def _fetch(self, place: str, most: int, patience: float, body: bytes | None = None) -> bytes | None:
        """Return what is at a place; one that did not answer is not asked again."""
        if place in self._silent:
            return None
        try:
            return self._worker.within(patience, lambda: _fetched(place, most, body, self._ca_bundle))
        except Exception:  # noqa: BLE001 - whatever a place does: nothing was said
            self._silent.add(place)
            return None


def _fetched(place: str, most: int, body: bytes | None, ca_bundle: str | None) -> bytes:
    import requests

    with requests.Session() as session:
        session.trust_env, session.verify = False, ca_bundle or True
        method, headers = ("POST", _ASKED) if body else ("GET", {})
        with session.request(
            method, place, data=body, headers=headers, timeout=PATIENCE, stream=True, allow_redirects=False
        ) as response:
            if response.status_code != requests.codes.ok:
                raise ValueError(response.status_code)
            content: bytes = response.raw.read(most + 1, decode_content=True)
            if len(content) > most:
                raise ValueError(most)
            return content


def _der(found: bytes | None) -> bytes | None:
    """Return a list in DER: some publish PEM, which RFC 5280 (4.2.1.13) does not know."""
    if found is None or not found.startswith(b"-----BEGIN"):
        return found
    try:
        return x509.load_pem_x509_crl(found).public_bytes(Encoding.DER)
    except MALFORMED:
        return None


def _responders(leaf: x509.Certificate) -> list[str]:
    """Return where responders are (RFC 5280, 4.2.2.1)."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    return _urls([one.access_location for one in found if one.access_method == AuthorityInformationAccessOID.OCSP])


def _lists(leaf: x509.Certificate) -> list[str]:
    return _urls(points(leaf))


def _urls(names: Sequence[x509.GeneralName]) -> list[str]:
    found = [str(name.value) for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    return [url for url in found if url.lower().startswith(("http://", "https://")) and url.isprintable()]
