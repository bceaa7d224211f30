# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Keys by their names."""

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import (
    from_pem,
    generate,
    key_type_of,
    signing_hash,
    to_pem,
)
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519


@pytest.mark.parametrize(
    ("key_type", "algorithm"),
    [
        ("ecdsa-p256", "sha256"),
        ("ecdsa-p384", "sha384"),
        ("rsa-2048", "sha256"),
        ("ed25519", None),
        ("ml-dsa-44", None),
    ],
)
def test_a_key_signs_with_the_hash_of_its_strength(key_type: str, algorithm: str | None) -> None:
    found = signing_hash(generate(key_type))
    assert (found and found.name) == algorithm


def test_rsa_has_the_usual_exponent() -> None:
    assert generate("rsa-2048").public_key().public_numbers().e == 65537


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (rsa.generate_private_key(65537, 2056), "rsa-2056"),
        (ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (ec.generate_private_key(ec.SECP521R1()), "ecdsa-p521"),
        (x25519.X25519PrivateKey.generate(), "x25519"),
        (ed448.Ed448PrivateKey.generate(), "ed448"),
        (dsa.generate_private_key(2048), "dsa-2048"),
    ],
)
def test_a_key_that_nobody_declares_has_a_name_all_the_same(key: ec.EllipticCurvePrivateKey, name: str) -> None:
    assert key_type_of(key.public_key()) == name


def test_a_pem_holds_the_key_in_pkcs8() -> None:
    pem = to_pem(generate("ecdsa-p256"))
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert to_pem(from_pem(pem)) == pem


@pytest.mark.parametrize("junk", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_a_value_error(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_pem(junk)
