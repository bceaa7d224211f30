# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether two distinguished names are the same (RFC 5280, 7.1): whatever their strings are encoded as.

Authorities have to write a name the same everywhere (4.1.2.4), and nearly all do. Where one does not, a name that is to
be excluded would be none, and a list of an authority nobody's.
"""

from __future__ import annotations

import typing as t
import unicodedata

if t.TYPE_CHECKING:
    from cryptography import x509

Comparable = tuple[frozenset[tuple[str, t.Any]], ...]


def same(one: x509.Name, other: x509.Name) -> bool:
    """Tell whether two names are the same."""
    return one == other or comparable(one) == comparable(other)


def comparable(name: x509.Name) -> Comparable:
    """Return what equal names have in common: a set for each relative name, in their order."""
    return tuple(relative(rdn) for rdn in name.rdns)


def relative(rdn: x509.RelativeDistinguishedName) -> frozenset[tuple[str, t.Any]]:
    """Return what equal relative names have in common."""
    return frozenset((one.oid.dotted_string, _prepared(one.value)) for one in rdn)


def _prepared(value: str | bytes) -> str | bytes:
    """Return a string as it is compared: without case, and with each run of spaces as one (RFC 4518)."""
    if isinstance(value, bytes):
        return value
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold()).split())
