# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an authority of AWS Private CA took back: by RevokeCertificate, and as its revocation list in S3 says it.

AWS has no call for the status of a certificate. It writes a revocation list where the authority is set up to, typically
30 minutes after a revocation (API reference of RevokeCertificate), and answers nobody when or why it revoked.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t
from urllib.parse import unquote, urlsplit

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ...module_utils._core.ports import Good, Revoked, Unknown
from .. import _revocation_status as revocation_status
from .._distribution_points import points
from .._path import signed_by
from .._serial import with_colons
from .errors import LoggedOut, Refused, Silent
from .pca import not_understood, plain
from .pca_asked import WHO, Target, worded

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .client import Client

REASONS = {
    "unspecified": "UNSPECIFIED",
    "key_compromise": "KEY_COMPROMISE",
    "ca_compromise": "CERTIFICATE_AUTHORITY_COMPROMISE",
    "affiliation_changed": "AFFILIATION_CHANGED",
    "superseded": "SUPERSEDED",
    "cessation_of_operation": "CESSATION_OF_OPERATION",
    "privilege_withdrawn": "PRIVILEGE_WITHDRAWN",
    "aa_compromise": "A_A_COMPROMISE",
}
_OVER = (Silent, LoggedOut, Misconfigured)  # what the next certificate would meet as well
_NOTHING = ("NoSuchKey", "NoSuchBucket", "404")


class Records:
    """Revokes certificates of one authority, and looks for their status in its revocation list."""

    def __init__(
        self, client: Client, s3: Client, target: Target, authority: Callable[[], x509.Certificate],
        advise: Callable[[str], None],
    ) -> None:  # fmt: skip
        """Keep whom to ask; `authority` returns the certificate of who signs."""
        self._client, self._s3, self._target, self._authority, self._advise = client, s3, target, authority, advise
        self._revoked: dict[int, Revoked] = {}  # what was taken back here: no list has it yet

    def revoke(self, certificates: Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) back; one that is no other's is refused in its place."""
        answers: list[Revoked | KeysteadError] = []
        for der in certificates:
            try:
                answers.append(self._taken_back(der, reason))
            except _OVER as error:
                return [*answers, *[plain(error)] * (len(certificates) - len(answers))]
            except Refused as refused:
                answers.append(plain(worded(refused, self._target)))
            except KeysteadError as error:
                answers.append(plain(error))
        return answers

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the revocation list says of a certificate (DER); Unknown where AWS writes none that holds now."""
        leaf = self._ours(certificate)
        if leaf is None:
            return Unknown()
        if leaf.serial_number in self._revoked:
            return self._revoked[leaf.serial_number]
        listed = self._list_of(leaf)
        if listed is None:
            return Unknown()
        return revocation_status.status(leaf, self._authority(), listed, None, dt.datetime.now(dt.UTC))

    def _taken_back(self, der: bytes, reason: str) -> Revoked:
        """Revoke by serial number: AWS takes no certificate, so whose it is is looked at here."""
        leaf = self._ours(der)
        if leaf is None:
            told = f"{self._target.arn} did not sign the certificate {pki.fingerprint(der)}"
            raise Denied(f"{WHO}: {told}; name who signed it in issuers")
        if reason not in REASONS:
            raise Denied(f"{WHO}: AWS knows no revocation for {reason}; write one of {', '.join(REASONS)}")
        if leaf.serial_number not in self._revoked:
            self._revoked[leaf.serial_number] = self._told(leaf, der, reason)
        return self._revoked[leaf.serial_number]

    def _told(self, leaf: x509.Certificate, der: bytes, reason: str) -> Revoked:
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        try:
            self._client.call(
                "RevokeCertificate",
                CertificateAuthorityArn=self._target.arn,
                CertificateSerial=with_colons(leaf.serial_number),
                RevocationReason=REASONS[reason],
            )
        except Refused as refused:
            if refused.code != "RequestAlreadyProcessedException":
                raise
        else:
            return Revoked(reason, now)
        listed = self.status(der)
        if isinstance(listed, Revoked):
            return listed
        number = with_colons(leaf.serial_number)
        self._advise(f"{WHO}: {number} was revoked before; AWS does not say when and why until its list does")
        return Revoked("unspecified", now)

    def _ours(self, der: bytes) -> x509.Certificate | None:
        """Return a certificate that this authority signed, be it by an earlier certificate of the same key."""
        try:
            leaf = x509.load_der_x509_certificate(der)
        except pki.MALFORMED:
            return None
        return leaf if signed_by(leaf, self._authority()) else None

    def _list_of(self, leaf: x509.Certificate) -> bytes | None:
        """Return the list (DER) that has to have a certificate, None where AWS writes none, or none yet."""
        said = self._client.call("DescribeCertificateAuthority", CertificateAuthorityArn=self._target.arn)
        about = said.get("CertificateAuthority")
        if not isinstance(about, dict):
            raise not_understood("answer to acm-pca:DescribeCertificateAuthority")
        lists = (about.get("RevocationConfiguration") or {}).get("CrlConfiguration") or {}
        if not lists.get("Enabled") or not lists.get("S3BucketName"):
            return None
        try:
            answer = self._s3.call("GetObject", Bucket=lists["S3BucketName"], Key=self._key_of(leaf, lists))
        except Refused as refused:
            if refused.code in _NOTHING:
                return None
            raise
        body = answer.get("Body")
        return body if isinstance(body, bytes) else None

    def _key_of(self, leaf: x509.Certificate, lists: dict[str, t.Any]) -> str:
        """Return the key of the object: as the certificate says it, else that of a list that is complete."""
        for name in points(leaf):
            path = urlsplit(str(name.value)).path
            if path.endswith(".crl"):
                return unquote(path.lstrip("/"))
        return f"{lists.get('CustomPath') or 'crl'}/{self._target.arn.rpartition('/')[2]}.crl"
