# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who still needs an anchor: identities whose certificate leads to it, and to none of those that stay."""

from __future__ import annotations

import contextlib
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
    shown = [(row, _read(row.certificate + row.chain)) for row in rows]
    pool = list(dict.fromkeys(one for _row, chain in shown for one in chain[1:]))
    goes, stays = [one.certificate for one in going], [one.certificate for one in staying]
    by: dict[str, list[Peer]] = {one.fingerprint: [] for one in going}
    for row, chain in shown:
        ends = _ends(chain[0], pool, goes)
        if ends and not _ends(chain[0], chain[1:], stays):
            for index in ends:
                by[going[index].fingerprint].append(Peer(row.host, row.store, row.name, row.generation))
    return Needed({fingerprint: tuple(found) for fingerprint, found in by.items() if found}, why_all)


def _ends(leaf: x509.Certificate, between: Certificates, anchors: Certificates) -> list[int]:
    """Return to which anchors, by their places, a certificate leads: those that signed it, or what stands above it."""
    found: set[int] = set()
    level, seen = [leaf], [leaf]
    for _depth in range(LONGEST):
        for one in level:
            found.update(index for index, anchor in enumerate(anchors) if _is_or_signed(one, anchor))
        level = [up for up in between if up not in seen and any(_is_signed(one, up) for one in level)]
        seen += level
        if not level:
            break
    return sorted(found)


def _is_or_signed(one: x509.Certificate, anchor: x509.Certificate) -> bool:
    """Tell whether a certificate is that of an anchor, by its name and key (RFC 5280, 6.1.1), or has its signature."""
    same = one.subject == anchor.subject and one.public_key() == anchor.public_key()
    return same or _is_signed(one, anchor)


def _is_signed(one: x509.Certificate, above: x509.Certificate) -> bool:
    return one.issuer == above.subject and signed_by(one, above)


def _read(pem: str) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(der) for der in pki.der_certificates(pem.encode())]
    except ValueError:
        raise Misconfigured("ledger: it holds a certificate that cannot be read; put a backup in its place") from None
