# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""One certification path from a leaf to a pinned root (RFC 5280, 6.1).

cryptography.x509.verification refuses Ed25519 keys and leaves without a name to ask for; the path is known here, so it
is walked, with cryptography's own signature check at each step.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import ExtendedKeyUsageOID

from ..module_utils._core.errors import Denied
from ._authority.name_constraints import names_of, refusal
from ._distinguished_names import same
from ._signatures import UNVERIFIABLE, verifies

if t.TYPE_CHECKING:
    from datetime import datetime

LONGEST = 8
_BROKEN_HASHES = ("md5", "sha1")


def check_path(
    leaf: x509.Certificate, chain: t.Sequence[x509.Certificate], roots: t.Sequence[x509.Certificate], now: datetime
) -> None:
    """Raise Denied unless `chain` leads in order from the leaf to one of the roots, everything in it valid now."""
    if len(chain) > LONGEST:
        raise Denied(f"the chain has {len(chain)} certificates, more than {LONGEST}")
    path = [leaf, *chain]
    anchor = next((root for root in roots if path[-1] == root or _signed_by(path[-1], root)), None)
    if anchor is None:
        raise Denied(f"{_shown(path[-1])} is not signed by a pinned root")
    for below, above in itertools.pairwise(path):
        if not _signed_by(below, above):
            raise Denied(f"{_shown(below)} is not signed by {_shown(above)}, which follows it in the chain")
    if path[-1] != anchor:
        path.append(anchor)
    for certificate in path:
        _check_dates(certificate, now)
        _check_critical(certificate)
    for depth in range(1, len(path)):
        _check_issuer(path[depth], path[:depth])


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UNVERIFIABLE:
        return False
    return (algorithm is None or algorithm.name not in _BROKEN_HASHES) and signed_by(certificate, issuer)


@functools.lru_cache(maxsize=64)
def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether a certificate names an issuer and has its signature, be it an old one.

    Above a thousand leaves stands one authority, whose signature is verified once.
    """
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    except UNVERIFIABLE:  # names that are not the same byte for byte, among others
        return same(certificate.issuer, issuer.subject) and verifies(certificate, issuer.public_key())
    return True


def _check_dates(certificate: x509.Certificate, now: datetime) -> None:
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise Denied(
            f"{_shown(certificate)} is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} "
            f"to {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, not now"
        )


def _check_critical(certificate: x509.Certificate) -> None:
    """Refuse critical extensions that nobody here understands (RFC 5280, 4.2)."""
    for extension in certificate.extensions:
        if extension.critical and not isinstance(
            extension.value,
            (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName,
             x509.NameConstraints),
        ):  # fmt: skip
            raise Denied(f"{_shown(certificate)} has the critical extension {extension.oid.dotted_string}")


def _check_issuer(issuer: x509.Certificate, below: t.Sequence[x509.Certificate]) -> None:
    """Check one authority against everything that stands below it, nearest last."""
    basic = _extension(issuer, x509.BasicConstraints)
    usage = _extension(issuer, x509.KeyUsage)
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        raise Denied(f"{_shown(issuer)} is not an authority that may sign certificates")
    intermediates = [one for one in below[1:] if not same(one.subject, one.issuer)]
    if basic.path_length is not None and len(intermediates) > basic.path_length:
        raise Denied(f"{_shown(issuer)} permits {basic.path_length} authorities below it, not {len(intermediates)}")
    purposes, wanted = _extension(issuer, x509.ExtendedKeyUsage), _extension(below[0], x509.ExtendedKeyUsage)
    if purposes is not None and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in purposes and wanted is not None:
        beyond = set(wanted) - set(purposes)
        if beyond:
            raise Denied(f"{_shown(issuer)} may not sign for {min(oid.dotted_string for oid in beyond)}")
    for certificate in (below[0], *intermediates):  # the others bear its own name (RFC 5280, 4.2.1.10)
        reason = refusal(issuer, names_of(certificate))
        if reason:
            raise Denied(reason)


def _extension(certificate: x509.Certificate, kind: type[t.Any]) -> t.Any:
    with contextlib.suppress(x509.ExtensionNotFound):
        return certificate.extensions.get_extension_for_class(kind).value
    return None


def _shown(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()[:100] or f"certificate {certificate.serial_number:x}"
