# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way from a certificate up to a root that is trusted, through what a server names as its authorities.

While an authority changes its key, /cacerts has it four times, under one name (RFC 7030, 4.1.3; RFC 4210, 4.4): the old
and the new root, the old key signed by the new one, and the new key signed by the old one. So names lead nowhere, and
signatures are followed.
"""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.serialization import Encoding

from .._chains import Above
from .._path import LONGEST, signed_by

if t.TYPE_CHECKING:
    from cryptography import x509

MOST = 200  # signatures of one path: those of the slowest kind are half a second
Certificates = t.Sequence["x509.Certificate"]


def path(leaf: x509.Certificate, above: Certificates, roots: Certificates) -> tuple[list[x509.Certificate], t.Any]:
    """Return the shortest chain from a leaf, without it and the root, and the root; None for a root that is not met.

    Each certificate is come to once, and only MOST signatures are looked at: what a server names is not ours to trust.
    """
    ways: list[list[x509.Certificate]] = [[leaf]]
    left = [one for one in above if one not in roots]
    looks = _Looks(MOST)
    for _depth in range(LONGEST):
        for way in ways:
            anchor = next((root for root in roots if looks.signed_by(way[-1], root)), None)
            if anchor is not None:
                return way[1:], anchor
        longer = []
        for way in ways:
            found = [one for one in left if looks.signed_by(way[-1], one)]
            longer += [[*way, one] for one in found]
            left = [one for one in left if one not in found]
        ways = longer
    return [], None


def above(leaf: x509.Certificate, named: Certificates, roots: Certificates) -> Above:
    """Return what stands above a leaf, among what a server names; all roots where none is met, which V1 then says."""
    between, anchor = path(leaf, named, roots)
    anchors = roots if anchor is None else [anchor]
    return Above(*(b"".join(one.public_bytes(Encoding.PEM) for one in part) for part in (between, anchors)))


class _Looks:
    """Looks at signatures, at so many: a name that is another one costs nothing."""

    def __init__(self, most: int) -> None:
        self._left = most

    def signed_by(self, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
        if certificate.issuer != issuer.subject or not self._left:
            return False
        self._left -= 1
        return signed_by(certificate, issuer)
