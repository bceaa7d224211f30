# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an EST server may have in its bodies: read as the standard says, or refused, and never a crash."""

from __future__ import annotations

import base64
import contextlib

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError, Unavailable
from ansible_collections.keystead.identity.plugins.plugin_utils._est.asked import Wish, check, wishes
from ansible_collections.keystead.identity.plugins.plugin_utils._est.cms import certificates
from ansible_collections.keystead.identity.plugins.plugin_utils._est.der import children, dotted
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.est_server import Authority
from ansible_collections.keystead.identity.tests.unit.fuzz.strange import Stopwatch, mutated
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

EXAMPLE = b"""
MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJ
BgcrBgEBAQEWBggqhkjOPQQDAw==
"""
"""The example of RFC 7030, 4.5.2."""


def test_the_example_of_the_standard_is_read() -> None:
    assert [one.oid for one in wishes(EXAMPLE)] == [
        "1.2.840.113549.1.9.7",
        "1.2.840.10045.2.1",
        "1.2.840.113549.1.9.14",
        "1.2.840.10045.4.3.3",
    ]
    (curve,) = (value for one in wishes(EXAMPLE) if one.oid == "1.2.840.10045.2.1" for value in one.values)
    assert dotted(curve) == "1.3.132.0.34"


@pytest.mark.parametrize(
    ("content", "oid"),
    [("00", "0.0"), ("27", "0.39"), ("28", "1.0"), ("2a864886f70d", "1.2.840.113549"), ("8837", "2.999")],
)
def test_an_object_identifier_is_read(content: str, oid: str) -> None:
    assert dotted(bytes.fromhex(content)) == oid


@pytest.mark.parametrize("content", ["3080", "308100", "30820001", "3003", "30", "3084ffffffff", "30850000000001"])
def test_what_is_no_der_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match=r"DER|cut off"):
        children(bytes.fromhex(content))


def test_wishes_that_were_tampered_with_end_in_a_sentence_or_nothing() -> None:
    request = make.request()
    content = base64.b64decode(EXAMPLE)
    for changed in (*mutated(content, 1000), *map(base64.b64decode, [EXAMPLE] * 1)):
        with Stopwatch(), contextlib.suppress(KeysteadError):
            check(wishes(base64.b64encode(changed)), request)


def test_certificates_that_were_tampered_with_end_in_a_sentence_or_are_read() -> None:
    content = pkcs7.serialize_certificates(Authority().named, Encoding.DER)
    assert len(certificates(base64.b64encode(content), "answer")) == 2
    for changed in mutated(content, 1000):
        for body in (changed, base64.b64encode(changed)):
            with Stopwatch(), contextlib.suppress(Unavailable):
                certificates(body, "answer")


def test_a_key_of_a_length_that_nobody_has_is_refused_in_few_words() -> None:
    endless = Wish("1.2.840.113549.1.1.1", (b"\xff" * 100_000,))
    with pytest.raises(KeysteadError) as refused:
        check([endless], make.request())
    assert len(str(refused.value)) < 200


EC, RSA, ED25519, ML_DSA_65 = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1", "1.3.101.112", "2.16.840.1.101.3.4.3.18"
P256, P384 = (bytes.fromhex(one) for one in ("2a8648ce3d030107", "2b81040022"))
BY_SHA256, BY_SHA384, RSA_BY_SHA256 = "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.113549.1.1.11"
HASH_256, HASH_384, HASH_512 = (f"2.16.840.1.101.3.4.2.{number}" for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("key_type", "wanted", "unknown"),
    [
        ("ecdsa-p256", [Wish(HASH_256)], []),
        ("rsa-3072", [Wish(HASH_256)], []),
        ("ecdsa-p384", [Wish(HASH_384)], []),
        ("ed25519", [Wish(HASH_512)], []),
        ("ecdsa-p256", [Wish(HASH_384)], [HASH_384]),
        ("ml-dsa-65", [Wish(ML_DSA_65)], []),
        ("ecdsa-p256", [Wish(EC), Wish(RSA)], []),
        ("rsa-2048", [Wish(EC, (P384,)), Wish(RSA)], []),
        ("ecdsa-p384", [Wish(EC, (P384,)), Wish(ED25519)], []),
        ("ed25519", [Wish(EC, (P384,)), Wish(BY_SHA384), Wish(ED25519), Wish(ML_DSA_65)], []),
        ("ecdsa-p256", [Wish(BY_SHA256), Wish(BY_SHA384), Wish(RSA_BY_SHA256)], []),
        ("ecdsa-p256", [Wish(EC), Wish(RSA), Wish(RSA_BY_SHA256)], []),
    ],
)
def test_algorithms_side_by_side_are_a_choice_and_a_hash_that_is_there_is_known(
    key_type: str, wanted: list[Wish], unknown: list[str]
) -> None:
    assert check(wanted, make.request(key_type=key_type)) == unknown


@pytest.mark.parametrize(
    ("key_type", "wanted", "types"),
    [
        ("ecdsa-p256", [Wish(EC, (P384,)), Wish(RSA)], "ecdsa-p384 or rsa-"),
        ("ecdsa-p256", [Wish(EC), Wish(BY_SHA384)], "ecdsa-p384"),
        ("rsa-2048", [Wish(EC), Wish(ED25519)], "ecdsa- or ed25519"),
        ("ecdsa-p256", [Wish(ML_DSA_65)], "ml-dsa-65"),
        ("rsa-2048", [Wish(BY_SHA256)], "ecdsa-p256"),
    ],
)
def test_a_key_that_is_none_of_a_choice_is_refused_with_all_of_it(
    key_type: str, wanted: list[Wish], types: str
) -> None:
    with pytest.raises(Denied, match=f"it wants keys of type {types}; declare key.type so for web"):
        check(wanted, make.request(key_type=key_type))
