# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who may sign revocation lists about the certificates of an issuer (RFC 5280, 6.3.3, (f)).

That is the issuer by its own key; the issuer by another key, after a rollover or where it keeps one for its lists; and
somebody else whom its certificates name. The others need a certificate that leads to the anchor of the issuer, and that
permits to sign lists in so many words. Who has a certificate revoked may well write files, so what such a file holds
may be part of a way to an anchor, and is never an anchor.
"""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ..module_utils._core.errors import Denied
from ..module_utils._core.pki import MALFORMED
from ._distinguished_names import comparable, same
from ._path import check_path
from ._ways import MOST, shortest

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence

    Way = list[x509.Certificate]


class ListSigners:
    """Knows who may sign lists about the certificates of one issuer."""

    def __init__(
        self,
        issuer: x509.Certificate,
        known: Sequence[x509.Certificate] = (),
        anchors: Sequence[x509.Certificate] = (),
        is_revoked: Callable[[x509.Certificate], bool] = lambda _one: False,
    ) -> None:
        """Keep what is known: `anchors` are trusted, and so is the issuer for those whom it certified itself."""
        self._issuer, self._known, self._is_revoked = issuer, [*known][:MOST], is_revoked
        self._anchors = [*anchors, issuer]

    def named(self, name: x509.Name) -> Iterator[x509.Certificate]:
        """Yield who may have signed a list of that name, the issuer first: one of their keys has to fit it."""
        if same(name, self._issuer.subject) and may_sign(self._issuer, is_issuer=True):
            yield self._issuer
        for one in (*self._known, *self._anchors):
            if one != self._issuer and same(name, one.subject) and may_sign(one, is_issuer=False):
                yield one

    def trusts(self, signer: x509.Certificate, now: dt.datetime) -> bool:
        """Tell whether a list counts that this one signed."""
        if signer == self._issuer:
            return True
        ways = (self._ways(signer, anchor, now) for anchor in self._anchors)
        found = next((way for way in ways if way), None)
        return found is not None and not any(map(self._is_revoked, found[:-1]))

    def _ways(self, signer: x509.Certificate, anchor: x509.Certificate, now: dt.datetime) -> Way | None:
        """Return the way of a signer up to an anchor, to which the issuer leads as well; None where there is none."""
        way = self._checked(signer, anchor, now)
        if way is None:
            return None
        key = _key(self._issuer)
        for issuer in (self._issuer, *(one for one in self._known if _key(one) == key)):
            theirs = self._checked(issuer, anchor, now, last=False)
            if theirs and (not same(signer.subject, issuer.subject) or _above(way) == _above(theirs)):
                return way
        return None

    def _checked(
        self, one: x509.Certificate, anchor: x509.Certificate, now: dt.datetime, *, last: bool = True
    ) -> Way | None:
        """Return the way from a certificate to an anchor, if it holds.

        Names of authorities that certify themselves are constrained only where nothing follows (RFC 5280, 6.1.4, (b)).
        """
        way = shortest(one, self._known, anchor, now) or []
        begin = next((at for at, one in enumerate(way) if last or not same(one.subject, one.issuer)), len(way) - 1)
        try:
            if way:
                check_path(way[begin], way[begin + 1 : -1], [anchor], now)
        except Denied:
            return None
        except MALFORMED:
            return None
        return way or None


def may_sign(one: x509.Certificate, *, is_issuer: bool) -> bool:
    """Tell whether a certificate permits to sign lists (RFC 5280, 4.2.1.3): of the issuer, unless it says otherwise."""
    try:
        return one.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return is_issuer
    except MALFORMED:
        return False


def _above(way: Way) -> tuple[t.Any, bytes]:
    """Return who vouches for the name at the beginning of a way: nobody else may give a key to an authority's name."""
    return _key(next((one for one in way if not same(one.subject, way[0].subject)), way[-1]))


def _key(one: x509.Certificate) -> tuple[t.Any, bytes]:
    spki = one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return comparable(one.subject), spki
