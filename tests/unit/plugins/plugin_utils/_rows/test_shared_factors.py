# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""RSA moduli with a common factor are found among many, and nothing else is."""

from __future__ import annotations

import math
import random
import time

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.shared_factors import shared_factors
from cryptography.hazmat.primitives.asymmetric import rsa

pytestmark = pytest.mark.one_core


def primes(pairs: int) -> list[int]:
    keys = [rsa.generate_private_key(65537, 2048).private_numbers() for _ in range(pairs)]
    return [prime for key in keys for prime in (key.p, key.q)]


@pytest.mark.parametrize("pairs", [2, 3, 8, 13])
def test_each_modulus_with_a_common_factor_is_found_with_it(pairs: int) -> None:
    some = primes(pairs)
    moduli = [some[index] * some[index + 1] for index in range(0, len(some), 2)]
    assert shared_factors(moduli) == {}
    bad = some[0] * some[-1]
    assert shared_factors([*moduli, bad]) == {moduli[0]: some[0], moduli[-1]: some[-1], bad: bad}
    assert shared_factors([*moduli, some[0] * some[2]])[moduli[0]] == some[0]


def test_one_key_twice_has_no_factor_in_common_with_another_key() -> None:
    one, other, *_more = primes(1)
    assert shared_factors([one * other, one * other]) == {}
    assert shared_factors([]) == {}


def test_among_numbers_of_all_sizes_it_says_what_the_slow_way_says() -> None:
    numbers = [random.Random(seed).getrandbits(16 + seed * 37 % 900) | 1 for seed in range(150)]  # noqa: S311
    distinct = sorted(set(numbers))
    product = math.prod(distinct)
    slow = {one: math.gcd(product // one, one) for one in distinct}
    assert shared_factors(numbers) == {one: factor for one, factor in slow.items() if factor > 1}


def test_two_thousand_moduli_take_seconds() -> None:
    some = primes(2)
    moduli = [random.Random(seed).getrandbits(2048) | 1 for seed in range(2000)]  # noqa: S311
    begun = time.process_time()
    found = shared_factors([*moduli, some[0] * some[1], some[0] * some[2]])
    assert (found[some[0] * some[1]], found[some[0] * some[2]]) == (some[0], some[0])
    assert time.process_time() - begun < 20
