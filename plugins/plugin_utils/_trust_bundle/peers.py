# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who still needs an anchor: identities whose certificate leads to it, and to none of those that stay."""

from __future__ import annotations

import contextlib
import functools
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core import pki
from ...module_utils._core.errors import Misconfigured
from .._ledger import trusts
from .._path import signed_by

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._ledger.chain import Readable
    from .anchors import Anchor

LONGEST = 8
Certificates = t.Sequence["x509.Certificate"]


class Peer(t.NamedTuple):
    """An identity with a certificate that is in use, as the ledger has it."""

    host: str
    store: str
    identity: str
    generation: int

    @property
    def called(self) -> str:
        """What it is called in sentences."""
        return f"{self.identity} on {self.host or 'no known host'}"


class Needed(t.NamedTuple):
    """Who needs which anchor, by its fingerprint; `why_all` says why everybody counts, where everybody does."""

    by: t.Mapping[str, tuple[Peer, ...]]
    why_all: str = ""


def needed(
    ledger: Readable, host: str, going: t.Sequence[Anchor], staying: t.Sequence[Anchor], now: datetime
) -> Needed:
    """Return who of the peers of a host needs the anchors that are going. The ledger is asked only where some are.

    What stands in any chain of the ledger may lead to one that goes, since a host may have it from elsewhere; to one
    that stays, only what the peer shows itself.
    """
    if not going:
        return Needed({})
    rows, why_all = trusts.peers(ledger, host, now)
    goes, stays = [one.certificate for one in going], [one.certificate for one in staying]
    chains = {row.chain: _read(row.chain) for row in rows}
    up_to_going = _Ways(list(dict.fromkeys(one for chain in chains.values() for one in chain)), goes)
    up_to_staying = {text: _Ways(chain, stays) for text, chain in chains.items()}
    by: dict[str, list[Peer]] = {one.fingerprint: [] for one in going}
    for row in rows:
        leaf = _read(row.certificate)[0]
        ends = up_to_going.of(leaf)
        if ends and not up_to_staying[row.chain].of(leaf):
            for index in ends:
                by[going[index].fingerprint].append(Peer(row.host, row.store, row.name, row.generation))
    return Needed({fingerprint: tuple(found) for fingerprint, found in by.items() if found}, why_all)


class _Ways:
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


def _is_or_signed(one: x509.Certificate, anchor: x509.Certificate) -> bool:
    """Tell whether a certificate is that of an anchor, by its name and key (RFC 5280, 6.1.1), or has its signature."""
    same = one.subject == anchor.subject and one.public_key() == anchor.public_key()
    return same or _is_signed(one, anchor)


@functools.lru_cache(maxsize=256)  # a leaf is asked about twice: by what goes, and by what stays
def _is_signed(one: x509.Certificate, above: x509.Certificate) -> bool:
    return one.issuer == above.subject and signed_by(one, above)


def _read(pem: str) -> list[x509.Certificate]:
    if not pem:
        return []
    try:
        return [x509.load_der_x509_certificate(der) for der in pki.der_certificates(pem.encode())]
    except ValueError:
        raise Misconfigured("ledger: it holds a certificate that cannot be read; put a backup in its place") from None
