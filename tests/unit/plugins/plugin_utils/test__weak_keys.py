# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Weak keys, made here as weak as they are found in the wild, and honest ones that must pass."""

from __future__ import annotations

import functools
import math
import random
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_TYPES
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate, spki_sha256
from ansible_collections.keystead.identity.plugins.plugin_utils._request import checked
from ansible_collections.keystead.identity.plugins.plugin_utils._weak_keys import (
    _ORDER_8,
    has_close_primes,
    has_small_factor,
    is_roca,
    weaknesses,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._weak_lists import PUBLISHED
from ansible_collections.keystead.identity.tests.harness import local as make
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

pytestmark = pytest.mark.one_core

SEEDED = random.Random(20261122)  # noqa: S311  the same weak keys in every run
Make = t.Callable[[], t.Any]
SIZES = (2048, 3072)
ROCA_PRIMES = {2048: 353 + 1, 3072: 701 + 1, 4096: 1427 + 1}  # of M, by the size of the key: Nemec and others, table 1
RFC_9500_P256 = """04422548f88fb782ffb5eca3744452c72a1e558fbd6f73be5e48e93232cc45c5b16c4cd10c4cb8d5b8a17139e94882c8
    992572993425f41419ab7e90a42a494272"""


def is_prime(number: int) -> bool:
    """Tell whether a number is very probably prime (Miller and Rabin)."""
    if math.gcd(number, SMALL_PRIMES) != 1:
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _round in range(4):
        power = pow(SEEDED.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _square in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def primes(below: int) -> list[int]:
    return [one for one in range(2, below) if all(one % other for other in range(2, math.isqrt(one) + 1))]


SMALL_PRIMES = math.prod(primes(2000))


def next_prime(number: int) -> int:
    number |= 1
    while not is_prime(number):
        number += 2
    return number


def private(p: int, q: int, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """Return a key that signs, of any two primes."""
    d = pow(exponent, -1, math.lcm(p - 1, q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(exponent, p * q),
    )  # fmt: skip
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


@functools.cache
def close(size: int) -> rsa.RSAPrivateKey:
    """Return a key with the next prime as its other prime: a generator that searches both from one start."""
    start = SEEDED.getrandbits(size // 2) | 3 << (size // 2 - 2)
    p = next_prime(start)
    return private(next_prime(p + 2), p)


@functools.cache
def roca_prime(size: int) -> int:
    """Return a prime k·M + (65537^a mod M), as the library of CVE-2017-15361 makes them."""
    product = math.prod(primes(ROCA_PRIMES[size]))
    while True:
        remainder = pow(65537, SEEDED.getrandbits(64), product)
        least, most = (3 << (size // 2 - 2)) // product + 1, (1 << size // 2) // product - 1
        number = SEEDED.randint(least, most) * product + remainder
        if is_prime(number):
            return number


def roca(size: int) -> rsa.RSAPrivateKey:
    p = roca_prime(size)
    roca_prime.cache_clear()
    return private(p, roca_prime(size))


@pytest.mark.parametrize("size", SIZES)
def test_close_primes_are_found(size: int) -> None:
    assert weaknesses(close(size).public_key()) == ("its primes are so close that its modulus is factored at once",)


def test_primes_that_differ_in_their_first_half_only_are_out_of_fermats_reach() -> None:
    p = next_prime(3 << 1022)
    q = next_prime(p + (1 << 900))
    assert not has_close_primes(p * q)
    assert has_close_primes(p * next_prime(p + (1 << 500)))


@pytest.mark.parametrize("size", [2048, 3072])
def test_a_key_of_the_infineon_library_is_found(size: int) -> None:
    assert weaknesses(roca(size).public_key()) == ("its primes have the structure of CVE-2017-15361 (ROCA)",)


def test_one_prime_of_the_infineon_library_is_no_such_key() -> None:
    honest = make.key("rsa-2048").private_numbers()
    assert not is_roca(roca_prime(2048) * honest.q)


def test_powers_of_the_generator_with_different_exponents_are_no_such_key() -> None:
    """Modulo every prime of M it is a power of 65537, but modulo 3 of an odd one and modulo the others of none."""
    product = math.prod(primes(168)[1:])
    mixed = pow(65537, 2, product) * (1 + product // 3 * pow(product // 3, -1, 3)) % product
    assert (mixed % 3, [mixed % p for p in (5, 7)]) == (2, [65537**2 % 5, 65537**2 % 7])
    assert not is_roca(mixed)
    assert is_roca(pow(65537, 2, product))


@pytest.mark.parametrize(("key_type", "number"), [(key_type, number) for key_type in KEY_TYPES for number in range(3)])
def test_an_honest_key_has_no_weakness(key_type: str, number: int) -> None:
    assert weaknesses(make.key(key_type, number).public_key()) == ()


def test_the_checks_of_a_key_cost_an_issue_little() -> None:
    public_key = make.key("rsa-4096").public_key()
    weaknesses(public_key)
    start = time.perf_counter()
    for _time in range(10):
        weaknesses(public_key)
    assert (time.perf_counter() - start) / 10 < 0.05, "seconds; signing itself costs a hundredth of one"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "its modulus has 1024 bits, fewer than 2048"),  # noqa: S505  it is to be found
        (lambda: rsa.generate_private_key(3, 2048), "its public exponent is too small"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "its curve secp256k1 is not one of P-256, P-384 and P-521"),
    ],
)
def test_a_short_key_a_small_exponent_and_a_foreign_curve_are_found(key: Make, why: str) -> None:
    assert weaknesses(key().public_key()) == (why,)


@pytest.mark.parametrize("exponent", [65538, (1 << 256) + 1])
def test_an_even_or_a_huge_exponent_is_found(exponent: int) -> None:
    modulus = make.key("rsa-2048").public_key().public_numbers().n
    found = weaknesses(Numbers(exponent, modulus))
    assert found == ("its public exponent is even or too large",)


class Numbers(rsa.RSAPublicKey):  # what cryptography itself would not make, and another library may
    def __init__(self, exponent: int, modulus: int) -> None:
        self._numbers = rsa.RSAPublicNumbers(exponent, modulus)

    def public_numbers(self) -> rsa.RSAPublicNumbers:
        return self._numbers

    def public_bytes(self, encoding: object, format: object) -> bytes:  # noqa: A002, ARG002
        return repr(self._numbers).encode()


Numbers.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


def test_a_small_factor_is_found() -> None:
    assert has_small_factor(751 * next_prime(1 << 2040))
    assert not has_small_factor(757 * next_prime(1 << 2040))


P25519 = 2**255 - 19
D25519 = -121665 * pow(121666, -1, P25519) % P25519  # RFC 8032, 5.1


def double(point: tuple[int, int]) -> tuple[int, int]:
    """Add a point of edwards25519 to itself (RFC 8032, 5.1.4, in affine coordinates)."""
    x, y = point
    product = D25519 * x * x * y * y % P25519
    return 2 * x * y * pow(1 + product, -1, P25519) % P25519, (y * y + x * x) * pow(1 - product, -1, P25519) % P25519


def point_of(y: int) -> tuple[int, int]:
    square = (y * y - 1) * pow(D25519 * y * y + 1, -1, P25519) % P25519
    x = pow(square, (P25519 + 3) // 8, P25519)
    return (x if (x * x - square) % P25519 == 0 else x * pow(2, (P25519 - 1) // 4, P25519) % P25519), y


def ed25519_key(y: int, sign: int = 0) -> ed25519.Ed25519PublicKey:
    return ed25519.Ed25519PublicKey.from_public_bytes((y | sign << 255).to_bytes(32, "little"))


SMALL = (0, 1, P25519 - 1, _ORDER_8, P25519 - _ORDER_8)


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [*SMALL, P25519, P25519 + 1])
def test_a_point_of_small_order_is_found_in_every_encoding(y: int, sign: int) -> None:
    point = point_of(y % P25519)
    for _time in range(3):
        point = double(point)
    assert point == (0, 1), "eight times it is the neutral element"
    assert weaknesses(ed25519_key(y, sign)) == ("it is a point of small order, for which anybody can sign",)


def test_a_key_that_a_standard_publishes_is_found() -> None:
    point = bytes.fromhex(RFC_9500_P256)
    public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    assert weaknesses(public_key) == ("its private key is public, in RFC 9500 (testECCP256)",)


def test_the_list_of_published_keys_has_digests_and_sources() -> None:
    assert len(PUBLISHED) >= 20
    assert all(len(bytes.fromhex(digest)) == 32 and source for digest, source in PUBLISHED.items())


def test_a_key_on_a_list_of_the_policy_is_found() -> None:
    public_key = generate("ed25519").public_key()
    assert weaknesses(public_key, {spki_sha256(public_key)}) == ("it is on the list of keys known to be weak",)
    assert weaknesses(public_key, {"0" * 64}) == ()


@pytest.mark.parametrize(("key", "why"), [(lambda: close(2048), "primes are so close"), (lambda: roca(2048), "ROCA")])
def test_the_request_of_a_weak_key_is_refused_before_any_issuer_is_asked(key: Make, why: str) -> None:
    weak = key()
    csr = pki.request(make.WEB, weak)
    with pytest.raises(Denied, match=rf"^host: its request for web is refused: its key is weak: .*{why}"):
        checked(csr, make.identity(key_type="rsa-2048"), spki_sha256(weak.public_key()))
