# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Of which certificates a revocation list speaks, and for which reasons: by its issuing distribution point and theirs.

RFC 5280, 6.3.3, (b) and (d).
"""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ._distinguished_names import comparable, relative, same

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from ._revocation_list import RevocationList

Reasons = frozenset["x509.ReasonFlags"]
NONE: Reasons = frozenset()
EVERY: Reasons = NONE
with contextlib.suppress(NameError):
    EVERY = frozenset(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}


def reasons(found: RevocationList, certificate: x509.Certificate) -> Reasons:
    """Return the reasons for which a list would have a certificate: all, some, or none where it is not about it."""
    scope = found.scope
    if scope is None:
        return _served(None, found, certificate)
    if scope.only_contains_attribute_certs:
        return NONE
    if scope.only_contains_user_certs if _is_authority(certificate) else scope.only_contains_ca_certs:
        return NONE
    some = EVERY if scope.only_some_reasons is None else frozenset(scope.only_some_reasons)
    return some & _served(_names(scope.full_name, scope.relative_name, found.issuer), found, certificate)


def points(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """Return where a certificate says that its revocation list is."""
    return [name for point in _points(certificate, x509.CRLDistributionPoints) for name in point.full_name or ()]


def freshest(found: x509.Certificate | x509.CertificateRevocationList) -> list[x509.GeneralName]:
    """Return where a certificate, or a complete list, says that its delta list is (RFC 5280, 4.2.1.15 and 5.2.6)."""
    return [name for point in _points(found, x509.FreshestCRL) for name in point.full_name or ()]


def _served(names: set[t.Any] | None, found: RevocationList, certificate: x509.Certificate) -> Reasons:
    """Return the reasons for which a certificate names a list with these names (any, where None).

    One that names none is served by its issuer (RFC 5280, 6.3.3, its last paragraph).
    """
    points = _points(certificate, x509.CRLDistributionPoints)
    is_own = same(found.issuer, certificate.issuer)
    if not points:
        return EVERY if is_own and (names is None or comparable(certificate.issuer) in names) else NONE
    told = NONE
    for point in points:
        is_its = _is_of(point, found) if point.crl_issuer else is_own
        theirs = _names_of(point, certificate.issuer)
        if is_its and (names is None or theirs is None or names & theirs):
            told |= EVERY if point.reasons is None else point.reasons
    return told


def _is_of(point: x509.DistributionPoint, found: RevocationList) -> bool:
    """Tell whether a list is one that a distribution point leaves to somebody else: it says that it is indirect."""
    return found.is_indirect and comparable(found.issuer) in (_names(point.crl_issuer, None, None) or ())


def _names_of(point: x509.DistributionPoint, issuer: x509.Name) -> set[t.Any] | None:
    """Return the names of a distribution point; those of the issuer of the list stand in for them."""
    above = next((one.value for one in point.crl_issuer or () if isinstance(one, x509.DirectoryName)), issuer)
    theirs = _names(point.full_name, point.relative_name, above)
    return theirs if theirs is not None or not point.crl_issuer else _names(point.crl_issuer, None, None)


def _names(
    full: Iterable[x509.GeneralName] | None, below: x509.RelativeDistinguishedName | None, issuer: x509.Name | None
) -> set[t.Any] | None:
    """Return names as they are compared: a relative one stands below its issuer (RFC 5280, 4.2.1.13)."""
    if below is not None and issuer is not None:
        return {(*comparable(issuer), relative(below))}
    if full is None:
        return None
    return {comparable(one.value) if isinstance(one, x509.DirectoryName) else one for one in full}


def _points(found: t.Any, kind: type[t.Any]) -> list[x509.DistributionPoint]:
    try:
        return list(found.extensions.get_extension_for_class(kind).value)
    except x509.ExtensionNotFound:
        return []


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
