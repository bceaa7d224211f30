# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a certificate revocation list says of one certificate (RFC 5280, 5 and 6.3.3): never more than it may.

A list that is not its issuer's, not of now, of another scope, or that has a critical extension that nobody here
understands, says nothing: the answer is Unknown, and never Good.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ..module_utils._core.pki import MALFORMED
from ..module_utils._core.ports import Good, Revoked, Unknown
from ._authority.records import REASONS
from ._distribution_points import covers

REMOVED = "remove_from_crl"
_REASONS = {**{said: name for name, said in REASONS.items() if said}, "unspecified": "unspecified",
            "removeFromCRL": REMOVED}  # fmt: skip
SKEW = dt.timedelta(minutes=5)
BROKEN_HASHES = ("md5", "sha1")
FEW = 5
"""Certificates that are looked for without an index."""
_CRITICAL = b"\x01\x01\xff"  # the DER of TRUE, without which nothing is critical


class RevocationList:
    """A list of an issuer that is signed, and of its time: that is found out once, whatever it is asked after that."""

    def __init__(self, found: x509.CertificateRevocationList) -> None:
        """Keep what was read by `read`."""
        self.this_update, self.next_update = found.last_update_utc, t.cast("dt.datetime", found.next_update_utc)
        self.number: int | None = _number(found, x509.CRLNumber)
        self.base: int | None = _number(found, x509.DeltaCRLIndicator)
        self.scope = _extension(found, x509.IssuingDistributionPoint)
        self._found, self._asked = found, 0

    def entry(self, certificate: x509.Certificate) -> x509.RevokedCertificate | None:
        """Return what it has of a certificate. An index of a long list pays after a few questions."""
        number, self._asked = certificate.serial_number, self._asked + 1
        if self._asked <= FEW and number > 0:
            return self._found.get_revoked_certificate_by_serial_number(number)
        return self._entries.get(number)

    @functools.cached_property
    def _entries(self) -> dict[int, x509.RevokedCertificate]:
        return {entry.serial_number: entry for entry in self._found}

    @property
    def is_understood(self) -> bool:
        """Whether no entry has a critical extension: those that there are belong to indirect lists (RFC 5280, 5.3)."""
        return _CRITICAL not in self._found.tbs_certlist_bytes or not any(map(_is_strange, self._found))


def status(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    complete: bytes,
    delta: bytes | None,
    now: dt.datetime,
) -> Good | Revoked | Unknown:
    """Return what a complete list (DER), and a delta list beside it, say of a certificate of an issuer."""
    newer = read(delta, issuer, now) if delta else None
    return said(certificate, issuer, read(complete, issuer, now), newer)


def read(der: bytes, issuer: x509.Certificate, now: dt.datetime) -> RevocationList | None:
    """Return a list (DER) that may say something of certificates of an issuer, None for every other."""
    try:
        found = x509.load_der_x509_crl(der)
        good = found.issuer == issuer.subject and _of_now(found, now) and _may_sign(issuer) and _is_plain(found)
        if not good or _is_weak(found) or not found.is_signature_valid(t.cast("t.Any", issuer.public_key())):
            return None
        kept = RevocationList(found)
    except MALFORMED:
        return None
    return kept if kept.is_understood else None


def said(
    certificate: x509.Certificate, issuer: x509.Certificate, base: RevocationList | None, newer: RevocationList | None
) -> Good | Revoked | Unknown:
    """Return what lists of an issuer say of a certificate of it: a complete one, and a delta list beside it."""
    if base is None or base.base is not None or not covers(base.scope, certificate, issuer):
        return Unknown()
    found = base.entry(certificate)
    if newer is not None and covers(newer.scope, certificate, issuer):
        later = newer.entry(certificate)
        if _completes(newer, base):
            found = found if later is None else None if _reason(later) == REMOVED else later
        elif found is None and later is not None and _is_later(newer, base):
            return Unknown()
    return Revoked(_reason(found), found.revocation_date_utc) if found is not None else Good()


def _of_now(found: x509.CertificateRevocationList, now: dt.datetime) -> bool:
    """Tell whether a list is not from the future, and not stale; one that names no end is stale at once."""
    until = found.next_update_utc
    return found.last_update_utc <= now + SKEW and until is not None and now < until


def _may_sign(issuer: x509.Certificate) -> bool:
    """Tell whether an issuer may sign lists: where it names its usages, that is among them (RFC 5280, 4.2.1.3)."""
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _is_weak(found: x509.CertificateRevocationList) -> bool:
    """Tell whether anybody could have signed a list by now."""
    try:
        algorithm = found.signature_hash_algorithm
    except MALFORMED:  # one without a hash before
        return False
    return algorithm is not None and algorithm.name in BROKEN_HASHES


def _is_plain(found: x509.CertificateRevocationList) -> bool:
    """Tell whether a list says nothing critical that nobody here understands."""
    known = (x509.IssuingDistributionPoint, x509.DeltaCRLIndicator, x509.CRLNumber)
    return all(not extension.critical or isinstance(extension.value, known) for extension in found.extensions)


def _is_strange(entry: x509.RevokedCertificate) -> bool:
    try:
        return any(one.critical and not isinstance(one.value, x509.CRLReason) for one in entry.extensions)
    except MALFORMED:  # it is about nobody else
        return False


def _completes(delta: RevocationList, base: RevocationList) -> bool:
    """Tell whether a delta list belongs to a complete one, and is not older (RFC 5280, 5.2.4)."""
    if delta.base is None or base.number is None or delta.number is None or delta.scope != base.scope:
        return False
    return delta.base <= base.number <= delta.number


def _is_later(delta: RevocationList, base: RevocationList) -> bool:
    """Tell whether a complete list is too old for a delta list."""
    return delta.number is not None and (base.number is None or delta.number > base.number)


def _number(found: x509.CertificateRevocationList, kind: type[t.Any]) -> int | None:
    value = _extension(found, kind)
    return value.crl_number if value is not None else None


def _extension(found: x509.CertificateRevocationList, kind: type[t.Any]) -> t.Any:
    with contextlib.suppress(x509.ExtensionNotFound):
        return found.extensions.get_extension_for_class(kind).value
    return None


def _reason(entry: x509.RevokedCertificate) -> str:
    """Return the reason of an entry in snake_case; where it names none, it is unspecified (RFC 5280, 5.3.1)."""
    try:
        return reason_of(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason)
    except x509.ExtensionNotFound:
        return reason_of(None)
    except MALFORMED:  # revoked it is all the same
        return reason_of(None)


def reason_of(said: x509.ReasonFlags | None) -> str:
    """Return a reason in snake_case."""
    return _REASONS[said.value] if said else "unspecified"
