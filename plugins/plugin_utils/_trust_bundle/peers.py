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
from .ways import Paths, Traces

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._ledger.chain import Readable
    from .anchors import Anchor

EMPTY = (
    "the ledger knows no certificate that has not ended, and who knows nobody cannot say that nobody needs it: look at "
    "option ledger"
)


class Peer(t.NamedTuple):
    """An identity with a certificate that is in use, as the ledger has it.

    `replaced` tells that there is a newer one, and no proof that its service uses that; `because` why no way to what
    stays is taken, where there seems to be one.
    """

    host: str
    store: str
    identity: str
    replaced: bool = False
    because: str = ""

    @property
    def called(self) -> str:
        """What it is called in sentences."""
        return f"{self.identity} on {self.host or 'no known host'}"


class Needed(t.NamedTuple):
    """Who needs which anchor, by its fingerprint; `why_all` says why everybody counts, where everybody does.

    `held` says why nothing may go whoever needs it; then every anchor that is going has its place in `by`.
    """

    by: t.Mapping[str, tuple[Peer, ...]]
    why_all: str = ""
    held: str = ""


def needed(  # noqa: PLR0913 - what a decision is about
    ledger: Readable,
    host: str,
    going: t.Sequence[Anchor],
    staying: t.Sequence[Anchor],
    now: datetime,
    *,
    held: str = "",
) -> Needed:
    """Return who of the peers of a host needs the anchors that are going. The ledger is asked only where some are.

    What stands in any chain of the ledger may lead to one that goes, since a host may have it from elsewhere; to one
    that stays, only what the peer shows itself, and as it is verified now. A caller that knows why nothing may go says
    so (`held`).
    """
    if not going:
        return Needed({})
    known = trusts.peers(ledger, host, now)
    held = held or ("" if known.knows_any else EMPTY)
    found = _needing(known.rows, going, [one.certificate for one in staying], now)
    by = {one.fingerprint: found[one.fingerprint] for one in going if held or found[one.fingerprint]}
    return Needed(by, known.why_all, held)


def _needing(
    rows: t.Sequence[trusts.InUse], going: t.Sequence[Anchor], stays: t.Sequence[x509.Certificate], now: datetime
) -> dict[str, tuple[Peer, ...]]:
    """Return who needs which anchor, each identity once."""
    chains = {row.chain: _read(row.chain) for row in rows}
    between = list(dict.fromkeys(one for chain in chains.values() for one in chain))
    up_to_going = Traces(between, [one.certificate for one in going])
    up_to_staying = {text: Paths(chain, stays, now) for text, chain in chains.items()}
    by: dict[str, dict[tuple[str, str, str], Peer]] = {one.fingerprint: {} for one in going}
    for row in sorted(rows, key=lambda row: row.replaced):  # what is current says more than what it replaced
        leaf = _read(row.certificate)[0]
        ends = up_to_going.of(leaf)
        because = up_to_staying[row.chain].refusal(leaf) if ends else None
        if because is not None:
            peer = Peer(row.host, row.store, row.name, bool(row.replaced), because)
            for index in ends:
                by[going[index].fingerprint].setdefault(peer[:3], peer)
    return {fingerprint: tuple(sorted(found.values())) for fingerprint, found in by.items()}


def _read(pem: str) -> list[x509.Certificate]:
    if not pem:
        return []
    try:
        return [x509.load_der_x509_certificate(der) for der in pki.der_certificates(pem.encode())]
    except ValueError:
        raise Misconfigured("ledger: it holds a certificate that cannot be read; put a backup in its place") from None
