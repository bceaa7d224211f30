# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way from a certificate up to a root that is trusted, through what a server names as its authorities.

While an authority changes its key, /cacerts has it four times, under one name (RFC 7030, 4.1.3; RFC 4210, 4.4): the old
and the new root, the old key signed by the new one, and the new key signed by the old one. So names lead nowhere, and
signatures are followed.
"""

from __future__ import annotations

import typing as t

from .._path import LONGEST, signed_by

if t.TYPE_CHECKING:
    from cryptography import x509

Certificates = t.Sequence["x509.Certificate"]


def path(leaf: x509.Certificate, above: Certificates, roots: Certificates) -> tuple[list[x509.Certificate], t.Any]:
    """Return the shortest chain from a leaf, without it and the root, and the root; None for a root that is not met."""
    ways: list[list[x509.Certificate]] = [[leaf]]
    between = [one for one in above if one not in roots]
    for _depth in range(LONGEST):
        for way in ways:
            anchor = next((root for root in roots if signed_by(way[-1], root)), None)
            if anchor is not None:
                return way[1:], anchor
        ways = [[*way, one] for way in ways for one in between if one not in way and signed_by(way[-1], one)]
        ways = ways[: len(between) or 1]  # a server could name what signs each other in a circle
    return [], None
