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
from ._deadline import Worker
from ._distribution_points import points
from ._list_signers import ListSigners
from ._path import signed_by
from ._published_lists import MOST_PLACES, PublishedLists, urls

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ._revocation_list import RevocationList

PATIENCE = 10.0  # seconds for one answer
LARGEST_LIST = 64 * 1024 * 1024
LARGEST_RESPONSE = 64 * 1024
NONCE = 32  # bytes (RFC 9654, 2.1)
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
        self._lists = PublishedLists()
        self._signers: dict[t.Any, ListSigners] = {}
        self._judged: dict[x509.Certificate, Status] = {}  # certificates of those who sign lists
        self._silent: set[str] = set()

    def status(
        self,
        certificate: bytes,
        above: Sequence[bytes],
        patience: float = PATIENCE,
        anchors: Sequence[bytes] = (),
        *,
        everywhere: bool = False,
    ) -> Told:
        """Return what is published of a certificate (DER); each answer may take some seconds.

        Its issuer has to be among those `above` (DER), and whoever else signs its lists, whose certificate has to lead
        to the issuer, or to one of the `anchors` (DER) to which that leads as well. The first answer counts; with
        `everywhere`, all places are asked, and Good counts before Revoked: some client reads that one.
        """
        try:
            leaf = x509.load_der_x509_certificate(certificate)
            issuer = next((one for one in map(x509.load_der_x509_certificate, above) if signed_by(leaf, one)), None)
            responders, lists = _responders(leaf), urls(points(leaf))
        except MALFORMED:
            return Told(Unknown(), "it cannot be read")
        if not responders and not lists:
            return Told(Unknown(), "it names no responder and no revocation list")
        if issuer is None:
            return Told(Unknown(), "the certificate that signed it is not known here")
        sure: list[Told] = []
        for place in responders[:MOST_PLACES]:
            sure += _sure([self._respond(place, leaf, issuer, patience)])
            if sure and not everywhere:
                return sure[0]
        signers = self._signers_of(issuer, above, anchors, patience)
        sure += _sure(self._listed(leaf, signers, patience, everywhere=everywhere))
        nothing = Told(Unknown(), f"{' and '.join([*responders, *lists][:2])} say nothing that holds now")
        return next((one for one in sure if isinstance(one.status, Good)), sure[0] if sure else nothing)

    def _respond(self, place: str, leaf: x509.Certificate, issuer: x509.Certificate, patience: float) -> Told:
        nonce = os.urandom(NONCE)
        answer = self._fetch(place, LARGEST_RESPONSE, patience, ocsp.request(leaf, issuer, nonce))
        if not answer:
            return Told(Unknown())
        found = ocsp.status(answer, leaf, issuer, dt.datetime.now(dt.UTC), nonce)
        return Told(found, "", "ocsp", *ocsp.times(answer))

    def _listed(
        self, leaf: x509.Certificate, signers: ListSigners, patience: float, *, everywhere: bool
    ) -> list[Told]:
        def fetch(place: str) -> bytes | None:
            return self._fetch(place, LARGEST_LIST, patience)

        found = self._lists.all_said if everywhere else lambda *asked: [self._lists.said(*asked)]
        return [_of_lists(status, lists) for status, lists in found(leaf, signers, fetch)]

    def _signers_of(
        self, issuer: x509.Certificate, above: Sequence[bytes], anchors: Sequence[bytes], patience: float
    ) -> ListSigners:
        """Return who may sign the lists of an issuer: the same for each of its certificates."""
        key = (issuer, tuple(above), tuple(anchors))
        if key not in self._signers:
            self._signers[key] = ListSigners(
                issuer, _read(above), _read(anchors), lambda one: self._is_revoked(one, above, patience, anchors)
            )
        return self._signers[key]

    def _is_revoked(
        self, signer: x509.Certificate, above: Sequence[bytes], patience: float, anchors: Sequence[bytes]
    ) -> bool:
        """Tell whether somebody says that the certificate of a signer was revoked: its own list says nothing of it."""
        if signer not in self._judged:
            self._judged[signer] = Unknown()
            der = signer.public_bytes(Encoding.DER)
            self._judged[signer] = self.status(der, above, patience, anchors).status
            if isinstance(self._judged[signer], Revoked):
                self._lists.forget()
        return isinstance(self._judged[signer], Revoked)

    def _fetch(self, place: str, most: int, patience: float, body: bytes | None = None) -> bytes | None:
        """Return what is at a place; one that did not answer is not asked again."""
        if place in self._silent:
            return None
        try:
            return self._worker.within(patience, lambda: _fetched(place, most, body, self._ca_bundle))
        except Exception:  # noqa: BLE001 - whatever a place does: nothing was said
            self._silent.add(place)
            return None


def places(certificate: bytes) -> tuple[str, ...]:
    """Return the responders and the lists that a certificate (DER) names."""
    try:
        leaf = x509.load_der_x509_certificate(certificate)
        return (*_responders(leaf), *urls(points(leaf)))
    except MALFORMED:
        return ()


def _sure(found: Sequence[Told]) -> list[Told]:
    return [one for one in found if not isinstance(one.status, Unknown)]


def _of_lists(status: Status, lists: Sequence[RevocationList]) -> Told:
    if not lists:
        return Told(status)
    begin, end = max(one.this_update for one in lists), min(one.next_update for one in lists)
    return Told(status, "", "crl", begin, end)


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


def _read(found: Sequence[bytes]) -> list[x509.Certificate]:
    """Return the certificates (DER) that can be read."""
    certificates = []
    for der in found:
        with contextlib.suppress(*MALFORMED):
            certificates.append(x509.load_der_x509_certificate(der))
    return certificates


def _responders(leaf: x509.Certificate) -> list[str]:
    """Return where responders are (RFC 5280, 4.2.2.1)."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    return urls([one.access_location for one in found if one.access_method == AuthorityInformationAccessOID.OCSP])
