# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which RSA keys share a factor: of X.509 and of SSH, of what is in use, was ever seen, and of authorities above it."""

from __future__ import annotations

import itertools
import math
import typing as t

from ...module_utils._core.errors import printable
from .._findings import MOST_NAMED, finding
from .._ledger.rows import select
from .authorities import called
from .keys import key_of, modulus_of
from .selection import Selection
from .shared_factors import shared_factors

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .._ledger.chain import Readable
    from .authorities import Authorities
    from .row import Row

_OF_RSA = "SELECT DISTINCT key_type FROM generations WHERE key_type LIKE 'rsa-%'"
Finding = dict[str, str]


def shared(
    ledger: Readable | None, rows: Sequence[Row], keys: Mapping[t.Any, t.Any], above: Authorities
) -> dict[t.Any, list[Finding]]:
    """Return by row (its key) with whom its RSA key, or that of an authority above it, shares a factor.

    `keys` are public keys of rows, by their keys.
    """
    everywhere = {row.key: row for row in rows}
    if ledger is not None:
        types = tuple(one for (one,) in ledger.read(_OF_RSA))
        everywhere |= {row.key: row for row in (select(ledger, Selection(key_types=types)) if types else ())}
    authorities = [(chain, called(one), n) for chain, one in above if (n := modulus_of(one.public_key())) is not None]
    moduli = {key: n for key, row in everywhere.items() if (n := modulus_of(keys.get(key) or key_of(row))) is not None}
    holders: dict[int, list[str]] = {}
    for key, n in moduli.items():
        holders.setdefault(n, []).append(_called(everywhere[key]))
    for _chain, name, n in authorities:
        holders.setdefault(n, []).append(name)
    weak = Weak(shared_factors(holders), holders)
    found = {row.key: list(weak.of(moduli.get(row.key))) for row in rows}
    for chain, name, n in authorities:
        said = [*weak.of(n, f"the RSA modulus of {name}")]
        for row in above.below(chain, rows) if said else ():
            found[row.key] += said
    return found


class Weak:
    """Moduli that share a factor with others, and who has them."""

    def __init__(self, factors: Mapping[int, int], holders: Mapping[int, Sequence[str]]) -> None:
        """Take the factor of each modulus that has one in common with others, and what holders are called."""
        self._factors, self._holders = factors, holders
        self._with: dict[int, list[int]] = {}
        for modulus, factor in factors.items():
            self._with.setdefault(factor, []).append(modulus)

    def of(self, modulus: int | None, called: str = "its RSA modulus") -> Iterator[Finding]:
        """Yield what is to be said of a modulus."""
        if modulus in self._factors:
            names, more = self._others(t.cast("int", modulus))
            told = ", ".join(printable(one) for one in names) + (f" and {more} more" if more else "")
            text = f"{printable(called)} shares a factor with that of {told}, so both are broken; replace its key"
            yield finding("shared_factor", text)

    def _others(self, modulus: int) -> tuple[list[str], int]:
        """Return some who share a factor with a modulus, and of how many more that is known.

        Most often all of them have just this factor. Where nobody has, one of them is looked for, and no more: to
        compare each with each would take hours where thousands are weak.
        """
        same = self._with[self._factors[modulus]]
        others: list[int] = list(itertools.islice((one for one in same if one != modulus), MOST_NAMED))
        if not others:
            factor = self._factors[modulus]
            others = [next(one for one in self._factors if one != modulus and math.gcd(one, factor) > 1)]
        return [self._holders[one][0] for one in others], max(0, len(same) - 1 - len(others))


def _called(row: Row) -> str:
    return f"{row.name[:80]} on {(row.host or 'no host')[:80]}"
