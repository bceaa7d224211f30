# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The ways from a certificate up to anchors: any that names and signatures show, and those that are taken now.

For an anchor that goes, the first is asked, so that nothing is missed; for one that stays, the second (RFC 5280, 6.1).
"""

from __future__ import annotations

import functools
import typing as t

from ...module_utils._core.errors import Denied
from ...module_utils._core.pki import MALFORMED
from .._path import LONGEST, check_path, signed_by

if t.TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

Certificates = t.Sequence["x509.Certificate"]
_MOST_TRIED = 64  # ways of one certificate; chains have one, where authorities sign each other crosswise a few
NO_WAY = ""


class Traces:
    """The ways from leaves by certificates of authorities to anchors. What is above these is found out once."""

    def __init__(self, between: Certificates, anchors: Certificates) -> None:
        self._between, self._anchors = between, anchors
        self._known: dict[x509.Certificate, frozenset[int]] = {}

    def of(self, leaf: x509.Certificate) -> frozenset[int]:
        """Return to which anchors, by their places, a certificate leads."""
        return self._up(leaf, ())

    def _up(self, one: x509.Certificate, below: tuple[x509.Certificate, ...]) -> frozenset[int]:
        ends = {index for index, anchor in enumerate(self._anchors) if _is_or_signed(one, anchor)}
        if len(below) < LONGEST:
            for up in self._between:
                if up != one and up not in below and _is_signed(one, up):
                    if up not in self._known:
                        self._known[up] = self._up(up, (*below, one))
                    ends |= self._known[up]
        return frozenset(ends)


class Paths:
    """The paths that a verifier takes now: by what a peer shows itself, to what stays.

    One ends at an anchor that signs itself: OpenSSL, and so nginx and PostgreSQL, take no other end. An anchor that
    does not may stand on the way to one that does.
    """

    def __init__(self, shown: Certificates, staying: Certificates, now: datetime) -> None:
        self._roots = [one for one in staying if _is_signed(one, one)]
        self._no_ends = [one for one in staying if one not in self._roots]
        self._between = [*shown, *self._no_ends]
        self._now = now

    def refusal(self, leaf: x509.Certificate) -> str | None:
        """Return None where a path is taken, else why the first one is not; NO_WAY where none leads anywhere."""
        why: str | None = NO_WAY
        for tried, (way, root) in enumerate(self._all(leaf, ())):
            if tried == _MOST_TRIED:
                break
            try:
                check_path(leaf, way, [root], self._now)
            except Denied as error:
                why = why or str(error)
            except MALFORMED:
                why = why or "what is above it cannot be read"
            else:
                return None
        return why or self._no_end(leaf)

    def _no_end(self, leaf: x509.Certificate) -> str:
        for index in Traces(self._between, self._no_ends).of(leaf):
            name = self._no_ends[index].subject.rfc4514_string()
            return f"{name} does not sign itself, and most verifiers take it only beside the anchor that signed it"
        return NO_WAY

    def _all(
        self, one: x509.Certificate, way: tuple[x509.Certificate, ...]
    ) -> t.Iterator[tuple[tuple[x509.Certificate, ...], x509.Certificate]]:
        for root in self._roots:
            if _is_signed(one, root):
                yield way, root
        if len(way) < LONGEST:
            for up in self._between:
                if up != one and up not in way and _is_signed(one, up):
                    yield from self._all(up, (*way, up))


def _is_or_signed(one: x509.Certificate, anchor: x509.Certificate) -> bool:
    """Tell whether a certificate is that of an anchor, by its name and key (RFC 5280, 6.1.1), or has its signature."""
    same = one.subject == anchor.subject and one.public_key() == anchor.public_key()
    return same or _is_signed(one, anchor)


@functools.lru_cache(maxsize=256)  # a leaf is asked about twice: by what goes, and by what stays
def _is_signed(one: x509.Certificate, above: x509.Certificate) -> bool:
    return one.issuer == above.subject and signed_by(one, above)
