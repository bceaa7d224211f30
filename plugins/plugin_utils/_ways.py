# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way from a certificate up to an anchor, through what is known: it may be cross-signed, or have two keys."""

from __future__ import annotations

import typing as t

from ._path import LONGEST, signed_by

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from cryptography import x509

    Way = list[x509.Certificate]

MOST = 64
"""Certificates that are looked at: everyone is compared with everyone."""


def shortest(
    one: x509.Certificate, known: Iterable[x509.Certificate], anchor: x509.Certificate, now: dt.datetime
) -> Way | None:
    """Return the shortest way from a certificate to an anchor, with both, by signatures; through what is valid now."""
    if one == anchor:
        return [one]
    ways, left = [[one]], [other for other in [*known][:MOST] if other != one and _is_valid(other, now)]
    for _step in range(LONGEST):
        found = next((way for way in ways if signed_by(way[-1], anchor)), None)
        if found:
            return [*found, anchor]
        longer: list[Way] = []
        for way in ways:
            higher = [other for other in left if signed_by(way[-1], other)]
            longer += [[*way, other] for other in higher]
            left = [other for other in left if other not in higher]
        ways = longer
    return None


def is_root(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate has its own signature."""
    return certificate.subject == certificate.issuer and signed_by(certificate, certificate)


def _is_valid(one: x509.Certificate, now: dt.datetime) -> bool:
    return one.not_valid_before_utc <= now < one.not_valid_after_utc
