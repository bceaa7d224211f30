# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Of which certificates a revocation list speaks: by its issuing distribution point and theirs (RFC 5280, 6.3.3)."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

if t.TYPE_CHECKING:
    from collections.abc import Iterable


def covers(
    scope: x509.IssuingDistributionPoint | None, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    """Tell whether a list of an issuer, and of this scope, speaks of a certificate of it, for every reason.

    Indirect lists, and those that are about some reasons only, speak of nothing here.
    """
    if scope is None:
        return _is_served(None, certificate, issuer)
    if scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs:
        return False
    if scope.only_contains_user_certs if _is_authority(certificate) else scope.only_contains_ca_certs:
        return False
    return _is_served(_names(scope.full_name, scope.relative_name, issuer), certificate, issuer)


def points(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """Return where a certificate says that its revocation list is."""
    return [name for point in _points(certificate) for name in point.full_name or ()]


def _is_served(names: set[x509.GeneralName] | None, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether a list with these names (any, where None) is one that a certificate names for every reason.

    One that names none is served by its issuer (RFC 5280, 6.3.3, its last paragraph).
    """
    points = _points(certificate)
    if not points:
        return names is None or x509.DirectoryName(issuer.subject) in names
    for point in points:
        theirs = _names(point.full_name, point.relative_name, issuer)
        if not point.crl_issuer and not point.reasons and (names is None or theirs is None or names & theirs):
            return True
    return False


def _names(
    full: Iterable[x509.GeneralName] | None, relative: x509.RelativeDistinguishedName | None, issuer: x509.Certificate
) -> set[x509.GeneralName] | None:
    """Return the names of a distribution point: a relative one stands below its issuer (RFC 5280, 4.2.1.13)."""
    if relative is not None:
        return {x509.DirectoryName(x509.Name([*issuer.subject.rdns, relative]))}
    return set(full) if full is not None else None


def _points(certificate: x509.Certificate) -> list[x509.DistributionPoint]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value)
    except x509.ExtensionNotFound:
        return []


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
