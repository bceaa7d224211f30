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
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ..module_utils._core.pki import MALFORMED
from ..module_utils._core.ports import Good, Revoked, Unknown
from ._authority.records import REASONS

REMOVED = "remove_from_crl"
_REASONS = {**{said: name for name, said in REASONS.items() if said}, "unspecified": "unspecified",
            "removeFromCRL": REMOVED}  # fmt: skip
SKEW = dt.timedelta(minutes=5)


def status(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    complete: bytes,
    delta: bytes | None,
    now: dt.datetime,
) -> Good | Revoked | Unknown:
    """Return what a complete list (DER), and a delta list beside it, say of a certificate of an issuer."""
    base = usable(complete, certificate, issuer, now)
    if base is None or _extension(base, x509.DeltaCRLIndicator) is not None:
        return Unknown()
    newer = usable(delta, certificate, issuer, now) if delta else None
    found = base.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if newer is not None and _completes(newer, base):
        later = newer.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if later is not None:
            found = None if _reason(later) == REMOVED else later
    elif newer is not None and found is None and _tells_more(newer, base, certificate):
        return Unknown()
    return Revoked(_reason(found), found.revocation_date_utc) if found is not None else Good()


def usable(
    der: bytes, certificate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime
) -> x509.CertificateRevocationList | None:
    """Return a list that may say something of a certificate, None for every other."""
    try:
        found = x509.load_der_x509_crl(der)
        valid = found.is_signature_valid(t.cast("t.Any", issuer.public_key()))
        good = valid and _of_now(found, now) and found.issuer == issuer.subject and _in_scope(found, certificate)
    except MALFORMED:
        return None
    return found if good else None


def _of_now(found: x509.CertificateRevocationList, now: dt.datetime) -> bool:
    """Tell whether a list is not from the future, and not stale; one that names no end is stale at once."""
    until = found.next_update_utc
    return found.last_update_utc <= now + SKEW and until is not None and now < until


def _in_scope(found: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Tell whether a list speaks of certificates like this one, for all reasons, and says nothing that is unknown."""
    for extension in found.extensions:
        value = extension.value
        if isinstance(value, x509.IssuingDistributionPoint):
            if value.indirect_crl or value.only_some_reasons or value.only_contains_attribute_certs:
                return False
            if value.only_contains_ca_certs or (value.full_name and not _shares(value.full_name, certificate)):
                return False
        elif extension.critical and not isinstance(value, (x509.DeltaCRLIndicator, x509.CRLNumber)):
            return False
    return True


def _shares(names: t.Iterable[x509.GeneralName], certificate: x509.Certificate) -> bool:
    """Tell whether a list of one distribution point is the one that a certificate names (RFC 5280, 6.3.3 b)."""
    return bool(set(names) & set(points(certificate)))


def points(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """Return where a certificate says that its revocation list is."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    return [name for point in found for name in point.full_name or ()]


def _completes(delta: x509.CertificateRevocationList, base: x509.CertificateRevocationList) -> bool:
    """Tell whether a delta list belongs to a complete one, and is not older (RFC 5280, 5.2.4)."""
    indicator, number, own = (
        _extension(delta, x509.DeltaCRLIndicator), _extension(base, x509.CRLNumber), _extension(delta, x509.CRLNumber),
    )  # fmt: skip
    if indicator is None or number is None or own is None:
        return False
    return bool(indicator.crl_number <= number.crl_number <= own.crl_number)


def _tells_more(
    delta: x509.CertificateRevocationList, base: x509.CertificateRevocationList, certificate: x509.Certificate
) -> bool:
    """Tell whether a delta list names a certificate, and the complete one is too old for it."""
    number, own = _extension(base, x509.CRLNumber), _extension(delta, x509.CRLNumber)
    is_later = own is not None and (number is None or own.crl_number > number.crl_number)
    return is_later and delta.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


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
