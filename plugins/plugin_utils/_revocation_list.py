# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A certificate revocation list (RFC 5280, 5): signed by one who may, of its time, and understood.

One that is not, or that has a critical extension that nobody here understands, says nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ..module_utils._core.pki import MALFORMED
from ._authority.records import REASONS
from ._distinguished_names import Comparable, comparable

if t.TYPE_CHECKING:
    from ._list_signers import ListSigners

REMOVED = "remove_from_crl"
_REASONS = {**{said: name for name, said in REASONS.items() if said}, "unspecified": "unspecified",
            "removeFromCRL": REMOVED}  # fmt: skip
SKEW = dt.timedelta(minutes=5)
BROKEN_HASHES = ("md5", "sha1")
FEW = 5
"""Certificates that are looked for without an index."""
_CRITICAL = b"\x01\x01\xff"  # the DER of TRUE, without which nothing is critical


class RevocationList:
    """A list that is signed, and of its time: that is found out once, whatever it is asked after that."""

    def __init__(self, found: x509.CertificateRevocationList, signer: x509.Certificate) -> None:
        """Keep what was read by `read`, and the certificate of who signed it."""
        self.issuer, self.signer, self.found = found.issuer, signer, found
        self.this_update, self.next_update = found.last_update_utc, t.cast("dt.datetime", found.next_update_utc)
        self.number: int | None = _number(found, x509.CRLNumber)
        self.base: int | None = _number(found, x509.DeltaCRLIndicator)
        self.scope: x509.IssuingDistributionPoint | None = _extension(found, x509.IssuingDistributionPoint)
        self.is_indirect = self.scope is not None and self.scope.indirect_crl
        self._of_others = _of_others(found) if self.is_indirect else {}
        self._asked = 0

    def entry(self, certificate: x509.Certificate) -> x509.RevokedCertificate | None:
        """Return what it has of a certificate. An index of a long list pays after a few questions."""
        number, self._asked = certificate.serial_number, self._asked + 1
        if self.is_indirect:
            return self._of_others.get((comparable(certificate.issuer), number))
        if self._asked <= FEW and number > 0:
            return self.found.get_revoked_certificate_by_serial_number(number)
        return self._entries.get(number)

    @functools.cached_property
    def _entries(self) -> dict[int, x509.RevokedCertificate]:
        return {entry.serial_number: entry for entry in self.found}

    @property
    def is_understood(self) -> bool:
        """Whether no entry has a critical extension but those of indirect lists in such (RFC 5280, 5.3)."""
        known = (x509.CRLReason, x509.CertificateIssuer) if self.is_indirect else (x509.CRLReason,)
        return _CRITICAL not in self.found.tbs_certlist_bytes or not any(_is_strange(one, known) for one in self.found)


def read(der: bytes, signers: ListSigners, now: dt.datetime) -> RevocationList | None:
    """Return a list (DER) that one of these signed and that may say something, None for every other."""
    try:
        found = x509.load_der_x509_crl(der)
        if not _of_now(found, now) or not _is_plain(found) or _is_weak(found):
            return None
        named = signers.named(found.issuer)
        signer = next((one for one in named if _is_signed(found, one) and signers.trusts(one, now)), None)
        kept = RevocationList(found, signer) if signer else None
    except MALFORMED:
        return None
    return kept if kept and kept.is_understood else None


def _is_signed(found: x509.CertificateRevocationList, signer: x509.Certificate) -> bool:
    try:
        return found.is_signature_valid(t.cast("t.Any", signer.public_key()))
    except MALFORMED:
        return False


def _of_now(found: x509.CertificateRevocationList, now: dt.datetime) -> bool:
    """Tell whether a list is not from the future, and not stale; one that names no end is stale at once."""
    until = found.next_update_utc
    return found.last_update_utc <= now + SKEW and until is not None and now < until


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


def _of_others(
    found: x509.CertificateRevocationList,
) -> dict[tuple[Comparable, int], x509.RevokedCertificate]:
    """Return the entries of an indirect list: each is of the issuer that it names, else of that of the one before.

    The first ones are of the issuer of the list (RFC 5280, 5.3.3). Raises one of MALFORMED.
    """
    entries, issuer = {}, comparable(found.issuer)
    for entry in found:
        named = _extension(entry, x509.CertificateIssuer)
        if named is not None:
            (name,) = named.get_values_for_type(x509.DirectoryName)
            issuer = comparable(name)
        entries[issuer, entry.serial_number] = entry
    return entries


def _is_strange(entry: x509.RevokedCertificate, known: tuple[type[t.Any], ...]) -> bool:
    try:
        return any(one.critical and not isinstance(one.value, known) for one in entry.extensions)
    except MALFORMED:  # it is about nobody else
        return False


def _number(found: x509.CertificateRevocationList, kind: type[t.Any]) -> int | None:
    value = _extension(found, kind)
    return value.crl_number if value is not None else None


def _extension(found: x509.CertificateRevocationList | x509.RevokedCertificate, kind: type[t.Any]) -> t.Any:
    with contextlib.suppress(x509.ExtensionNotFound):
        return found.extensions.get_extension_for_class(kind).value
    return None


def reason(entry: x509.RevokedCertificate) -> str:
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
