# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""RSA moduli that have a factor in common: whoever has both divides both (Heninger and others, 2012).

With P the product of all moduli n, the fraction of the sum of all 1/n, times P/n, is (P/n mod n) / n: all other terms
are whole numbers. So the sum is computed once, by a tree, as D/P, and multiplied down the same tree, where of each
product only the fraction counts (Bernstein, Scaled remainder trees, 2004). Python's decimal multiplies and divides
numbers of millions of digits by a number-theoretic transform, which its int does not.
"""

from __future__ import annotations

import decimal
import math
import typing as t
from decimal import Decimal

GUARD = 40  # digits beyond those that the result needs: an error stays as small, relative to them, on all levels


def shared_factors(moduli: t.Iterable[int]) -> dict[int, int]:
    """Return each modulus that has a factor in common with another one, with that factor (the modulus, where all)."""
    distinct = sorted(set(moduli))
    if len(distinct) < 2:
        return {}
    exact = decimal.Context(
        prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, rounding=decimal.ROUND_FLOOR
    )
    with decimal.localcontext(exact) as context:
        tree, fraction = _up(distinct, context)
        fractions = _down(tree, fraction, context)
        context.prec = decimal.MAX_PREC
        rests = [one * n for one, n in zip(fractions, tree[0], strict=True)]
        whole = [int(one.to_integral_value(decimal.ROUND_HALF_EVEN)) for one in rests]
        found = {n: math.gcd(rest, n) for n, rest in zip(distinct, whole, strict=True)}
    return {n: factor for n, factor in found.items() if factor > 1}


def _up(moduli: t.Sequence[int], context: decimal.Context) -> tuple[list[list[Decimal]], Decimal]:
    """Return the levels of a tree of products, the leaves first, and the fraction of the sum of all 1/n."""
    level = [(Decimal(n), Decimal(1)) for n in moduli]
    tree = [[product for product, _sum in level]]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [(p * q, d * q + e * p) for (p, d), (q, e) in pairs] + odd
        tree.append([product for product, _sum in level])
    ((product, total),) = level
    context.prec = product.adjusted() + GUARD
    return tree, _fraction(total / product)


def _down(tree: t.Sequence[t.Sequence[Decimal]], fraction: Decimal, context: decimal.Context) -> list[Decimal]:
    """Return, for each leaf, the fraction of the sum times the product of all others."""
    fractions = [fraction]
    for level in reversed(tree[:-1]):
        below = []
        for index, product in enumerate(level):
            one = fractions[index // 2]
            if index ^ 1 < len(level):
                context.prec = decimal.MAX_PREC
                one = _fraction(one * level[index ^ 1])
                context.prec = product.adjusted() + GUARD
                one = +one  # rounds
            below.append(one)
        fractions = below
    return fractions


def _fraction(number: Decimal) -> Decimal:
    return number - number.to_integral_value(decimal.ROUND_FLOOR)
