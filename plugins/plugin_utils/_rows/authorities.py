# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The authorities above rows, by the chains that the ledger has: one that is broken breaks all below it."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core import pki

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .._ledger.chain import Readable
    from .row import Row

_CHAINS = "SELECT DISTINCT chain FROM x509 WHERE chain <> ''"
_BELOW = "SELECT generation FROM x509 WHERE chain = ?"


class Authorities:
    """What is above the rows of a ledger; nothing where there is no ledger. An authority is parsed once."""

    def __init__(self, ledger: Readable | None) -> None:
        """Read the chains."""
        self._ledger = ledger
        told = ledger.read(_CHAINS) if ledger is not None else ()
        self._chains = {chain: tuple(_certificates(chain)) for (chain,) in told}

    def __iter__(self) -> Iterator[tuple[str, x509.Certificate]]:
        """Yield each authority with a chain that it is in."""
        return ((chain, one) for chain, some in self._chains.items() for one in some)

    def below(self, chain: str, rows: Sequence[Row]) -> list[Row]:
        """Return those of the rows that have a chain."""
        if self._ledger is None:
            return []
        numbers = {number for (number,) in self._ledger.read(_BELOW, (chain,))}
        return [one for one in rows if one.managed and one.key[2] in numbers]


def called(authority: x509.Certificate) -> str:
    """Return what an authority is called in a sentence."""
    return f"the authority {authority.subject.rfc4514_string()[:80]}"


def _certificates(chain: str) -> Iterator[x509.Certificate]:
    with contextlib.suppress(*pki.MALFORMED):
        for der in pki.der_certificates(chain.encode()):
            yield x509.load_der_x509_certificate(der)
