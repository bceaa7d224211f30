# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Public keys whose private keys others have or can compute: no issuer is ever asked to sign one, whatever the policy.

What is looked for is what the CA/Browser Forum's Baseline Requirements ask of a CA (6.1.1.3 and 6.1.6).
"""

from __future__ import annotations

import contextlib
import functools
import math
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ..module_utils._core.keys import key_type_of, spki_sha256

SMALLEST_MODULUS = 2048  # bits; NIST SP 800-131A
SMALLEST_EXPONENT, LARGEST_EXPONENT = 65537, 1 << 256  # FIPS 186-5, A.1.1
FERMAT_ROUNDS = 100  # Baseline Requirements, 6.1.1.3
SMALLEST_FACTOR = 752  # Baseline Requirements, 6.1.6
CURVES = ("secp256r1", "secp384r1", "secp521r1")  # SP 800-186
_P25519 = (1 << 255) - 19
_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022  # a y of order 8
_GENERATOR = 65537  # of the primes that the Infineon library makes
_LARGEST_ROCA_PRIME = 167  # its smallest keys use the first 39 primes, and longer ones more of them


def weaknesses(public_key: t.Any, known: t.Collection[str] = ()) -> tuple[str, ...]:
    """Return what is wrong with a public key, each as a sentence about it; nothing for a key that may be signed.

    `known` are further SPKI SHA-256 digests, in lower-case hexadecimal, of keys whose private halves are known.
    """
    found = []
    digest = spki_sha256(public_key)
    if source := _published(digest):
        found.append(f"its private key is public, in {source}")
    if digest in known:
        found.append("it is on the list of keys known to be weak")
    if isinstance(public_key, rsa.RSAPublicKey):
        numbers = public_key.public_numbers()
        found += _of_rsa(numbers.n, numbers.e)
    if isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.name not in CURVES:
        found.append(f"its curve {public_key.curve.name} is not one of P-256, P-384 and P-521")
    if (key_type := key_type_of(public_key)).startswith("dsa-"):
        found.append(f"it is {key_type}, and DSA signs nothing any more (FIPS 186-5)")
    if isinstance(public_key, ed25519.Ed25519PublicKey) and has_small_order(public_key):
        found.append("it is a point of small order, for which anybody can sign")
    return tuple(found)


def _published(digest: str) -> str | None:
    from ._weak_lists import PUBLISHED

    return PUBLISHED.get(digest)


def _of_rsa(modulus: int, exponent: int) -> t.Iterator[str]:
    if modulus.bit_length() < SMALLEST_MODULUS:
        yield f"its modulus has {modulus.bit_length()} bits, fewer than {SMALLEST_MODULUS}"
    if exponent < SMALLEST_EXPONENT:
        yield "its public exponent is too small"
    elif exponent % 2 == 0 or exponent >= LARGEST_EXPONENT:
        yield "its public exponent is even or too large"
    if has_small_factor(modulus):
        yield f"its modulus has a factor below {SMALLEST_FACTOR}"
    elif has_close_primes(modulus):
        yield "its primes are so close that its modulus is factored at once"
    if is_roca(modulus):
        yield "its primes have the structure of CVE-2017-15361 (ROCA)"


def has_small_factor(modulus: int) -> bool:
    """Tell whether an RSA modulus can be divided by a small prime."""
    return math.gcd(modulus, math.prod(_primes(SMALLEST_FACTOR))) != 1


def has_close_primes(modulus: int, rounds: int = FERMAT_ROUNDS) -> bool:
    """Tell whether Fermat's method finds the factors of an odd number within some rounds.

    With n = pq, a = (p + q) / 2 and b = (p - q) / 2, a² - n = b²; a is the square root of n, or little more where p and
    q are close.
    """
    half_sum = math.isqrt(modulus - 1) + 1
    for _round in range(rounds):
        square = half_sum * half_sum - modulus
        if math.isqrt(square) ** 2 == square:
            return True
        half_sum += 1
    return False


def has_small_order(public_key: ed25519.Ed25519PublicKey) -> bool:
    """Tell whether a key is one of the eight points whose order divides 8 (RFC 8032, 5.1), however it is encoded."""
    encoded = int.from_bytes(public_key.public_bytes(Encoding.Raw, PublicFormat.Raw), "little")
    return encoded % (1 << 255) % _P25519 in (0, 1, _P25519 - 1, _ORDER_8, _P25519 - _ORDER_8)


def is_roca(modulus: int) -> bool:
    """Tell whether an RSA modulus was made by the library of CVE-2017-15361 (Nemec and others, CCS 2017, section 2).

    Its primes are k·M + (65537^a mod M) for a product M of the first primes, so the modulus is a power of 65537 mod M,
    and modulo every prime of M. The exponents found there must be those of one and the same power.
    """
    exponent, period = 0, 1
    for prime in _primes(_LARGEST_ROCA_PRIME + 1)[1:]:
        logs = _logarithms(prime)
        log, order = logs.get(modulus % prime), len(logs)
        common = math.gcd(period, order)
        if log is None or (log - exponent) % common:
            return False
        step = (log - exponent) // common * pow(period // common, -1, order // common) % (order // common)
        exponent, period = exponent + period * step, math.lcm(period, order)
    return True


@functools.cache
def _logarithms(prime: int) -> dict[int, int]:
    """Return the powers of the generator modulo a prime, each with its exponent; as many as its order."""
    found, power = {1: 0}, _GENERATOR % prime
    while power != 1:
        found[power] = len(found)
        power = power * _GENERATOR % prime
    return found


@functools.cache
def _primes(below: int) -> list[int]:
    return [number for number in range(2, below) if all(number % one for one in range(2, math.isqrt(number) + 1))]
